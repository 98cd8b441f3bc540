import { randomBytes } from 'node:crypto';
import { resolve, sep } from 'node:path';
import type { Lock, Locker, LockerCapabilities, LockOptions, LockWait } from '../../core/locker.js';
import { Disk } from '../../internal/disk.js';
import { LockQueue } from '../lock-queue.js';
import { FileLock } from './file-lock.js';
import { endpointName, hostIdentity } from './host.js';
import { IdentityFile } from './identity-file.js';
import { LockFiles } from './lock-files.js';
import { serializeLockRecord } from './lock-record.js';
import { type ReleaseAnswer, ReleaseServer } from './release-server.js';

/** Where locks are kept, and how those are served who cannot be told. */
export interface FileLockerOptions {
  /** Where the locks are kept: the upload directory. It must exist, on a file system with hard links. */
  readonly directory: string;
  /**
   * How often a holder looks for the wishes of those who cannot reach it (tusd, other hosts), and renews its locks, in
   * milliseconds. A quarter of the time after which another host takes it for dead. Default: 5000.
   */
  readonly holderPollIntervalMs?: number;
  /** How often one who waits for such a holder looks again, in milliseconds. Default: 2000. */
  readonly acquirerPollIntervalMs?: number;
  /** Permissions of new folders, less the umask. Default: 0o775. */
  readonly dirPerms?: number;
  /** Permissions of lock files, less the umask: who may read one may ask for the lock. Default: 0o664. */
  readonly filePerms?: number;
}

/** How long to wait for a dead lock that a living process has taken just before, in milliseconds. */
const burialMs = 1000;

/** What exists from the first lock to `close()`. */
interface Session {
  readonly files: LockFiles;
  readonly identity: IdentityFile;
  readonly server: ReleaseServer;
  readonly swept: Promise<void>;
}

/**
 * Locks for processes on one host that share an upload directory, tusd among them: `ID.lock` is tusd's file. Processes
 * of ours tell each other over a local socket what they want and when they let go, so a lock changes hands within
 * milliseconds, and a process that was killed holds nobody up.
 *
 * Processes that cannot reach each other (tusd; other hosts or containers on a shared directory) fall back to tusd's
 * `ID.stop` and the poll intervals; one that died there holds its locks for four `holderPollIntervalMs`.
 *
 * `settle()` waits for the holder of the moment, not for those who already wait to follow it.
 */
export class FileLocker implements Locker {
  readonly capabilities: LockerCapabilities = { scope: 'host' };
  readonly #options: Required<FileLockerOptions>;
  /** Requests of this process stand in line here; only the first of them deals with the file. */
  readonly #queue = new LockQueue();
  readonly #disk: Disk;
  readonly #held = new Map<string, FileLock>();
  #session: Promise<Session> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FileLockerOptions) {
    this.#options = {
      holderPollIntervalMs: 5000,
      acquirerPollIntervalMs: 2000,
      dirPerms: 0o775,
      filePerms: 0o664,
      ...options,
      directory: resolve(options.directory),
    };
    this.#disk = new Disk(this.#options.directory);
  }

  async lock(id: string, options: LockOptions): Promise<Lock> {
    if (options.isNew) return this.#queue.enter(id, options, options.requestRelease);
    const turn = await this.#queue.enter(id, options);
    try {
      const { files } = await this.#start();
      const taken = await files.take(id, options);
      const lock = new FileLock({
        turn,
        taken,
        files,
        safeForMs: this.#options.holderPollIntervalMs,
        onUnlocked: () => this.#held.delete(id),
      });
      this.#held.set(id, lock);
      this.#watch();
      turn.onAsk(options.requestRelease);
      return lock;
    } catch (error) {
      await turn.unlock();
      throw error;
    }
  }

  async isLocked(id: string): Promise<boolean> {
    return this.#queue.isTaken(id) || (await this.#hasLockFile(id));
  }

  async settle(id: string, options: LockWait): Promise<boolean> {
    // Also one that is still about to take the file: it was here first.
    if (this.#queue.isTaken(id)) return this.#queue.settle(id, options);
    // Nothing has to be set up to see that there is no lock.
    if (!(await this.#hasLockFile(id))) return false;
    const { signal } = options;
    const { files } = await this.#start();
    const result = await files.settle(id, signal);
    // Only who has the turn here may touch the file. If somebody has, he clears it away himself.
    if (result === 'dead' && !this.#queue.isTaken(id)) {
      const lock = await this.lock(id, { signal, requestRelease: () => undefined });
      await lock.unlock();
    }
    return result === 'let-go';
  }

  async sweep({
    signal,
    dryRun,
  }: {
    readonly signal: AbortSignal;
    readonly dryRun: boolean;
  }): Promise<number> {
    const { files } = await this.#start();
    let count = 0;
    for await (const id of files.deadLocks(signal)) {
      count += 1;
      if (dryRun || this.#queue.isTaken(id)) continue;
      await this.#bury(id);
    }
    return count;
  }

  /** Takes a dead lock like any other, so that nobody else buries it at the same time, and lets go of it. */
  async #bury(id: string): Promise<void> {
    const signal = AbortSignal.timeout(burialMs);
    try {
      const lock = await this.lock(id, { signal, requestRelease: () => undefined });
      await lock.unlock();
    } catch (error) {
      // Somebody else has taken it meanwhile, and uses it.
      if (!signal.aborted) throw error;
    }
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (session === undefined) return;
    await session.swept;
    // Once more: who died since has nobody else to clean up after him if we are the last.
    await session.files.sweep().catch(() => undefined);
    await session.server.close();
    await session.identity.close();
  }

  async #hasLockFile(id: string): Promise<boolean> {
    return this.#disk.exists(`${this.#options.directory}${sep}${id}.lock`);
  }

  #start(): Promise<Session> {
    this.#session ??= this.#open().catch((error: unknown) => {
      // What failed now (no descriptors, no permission) may work for the next request.
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  async #open(): Promise<Session> {
    const { directory, dirPerms, filePerms, holderPollIntervalMs } = this.#options;
    const nonce = randomBytes(16).toString('hex');
    const endpoint = endpointName(nonce);
    const host = await hostIdentity();
    const server = new ReleaseServer(nonce, (id, signal) => this.#answer(id, signal));
    const content = serializeLockRecord(process.pid, { nonce, host, endpoint });
    const identity = new IdentityFile({
      directory,
      disk: this.#disk,
      nonce,
      content,
      dirPerms,
      filePerms,
      freshForMs: holderPollIntervalMs,
    });
    const leaseMs = 4 * holderPollIntervalMs;
    const files = new LockFiles({
      ...this.#options,
      disk: this.#disk,
      nonce,
      host,
      identity,
      leaseMs,
    });
    await server.listen(endpoint);
    try {
      await identity.touch();
    } catch (error) {
      await server.close();
      throw error;
    }
    // Nobody waits for the cleaning, and nobody suffers if it fails.
    return { files, identity, server, swept: files.sweep().catch(() => undefined) };
  }

  async #answer(id: string, signal: AbortSignal): Promise<ReleaseAnswer> {
    const lock = this.#held.get(id);
    if (lock === undefined) return 'free';
    await lock.letGo(signal);
    return 'released';
  }

  /** Looks after the locks as long as there are any. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    let isBusy = false;
    this.#timer = setInterval(() => {
      if (this.#held.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      } else if (!isBusy) {
        isBusy = true;
        void this.#check().finally(() => (isBusy = false));
      }
    }, this.#options.holderPollIntervalMs).unref();
  }

  async #check(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    // A disk that fails now may work at the next interval; who takes us for dead meanwhile is noticed then.
    await session?.identity.touch().catch(() => undefined);
    for (const lock of this.#held.values()) await lock.check().catch(() => undefined);
  }
}
