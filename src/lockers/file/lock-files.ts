import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TusError } from '../../core/errors.js';
import type { LockWait } from '../../core/locker.js';
import type { Disk } from '../../internal/disk.js';
import { isErrno, unless } from '../../internal/errno.js';
import { deadLocks } from './dead-locks.js';
import { type GraveOptions, replaceDeadLock, sweepFolder } from './grave.js';
import type { IdentityFile } from './identity-file.js';
import { type HolderFate, judgeHolder } from './judge-holder.js';
import { type LockFile, readLockFile } from './lock-file.js';
import { LockFolders } from './lock-folders.js';
import { StopFile } from './stop-file.js';

export interface LockFilesOptions {
  readonly directory: string;
  readonly disk: Disk;
  readonly nonce: string;
  readonly host: string;
  readonly identity: IdentityFile;
  readonly leaseMs: number;
  readonly acquirerPollIntervalMs: number;
  readonly dirPerms: number;
  readonly filePerms: number;
}

/** How long to wait for a sign of life, in milliseconds. */
const livenessMs = 500;

/** A lock file of ours. */
export interface TakenFile {
  readonly path: string;
  readonly inode: bigint;
  readonly stop: StopFile;
  /** There is an upload of that ID in folders of its own. */
  readonly hasFolders: boolean;
}

/** There was no holder; it has let go; or it is dead, and its lock file still there. */
export type SettleResult = 'free' | 'let-go' | 'dead';

/** The lock files of one directory, as one process takes, waits for and removes them. */
export class LockFiles {
  readonly #options: LockFilesOptions;
  readonly #grave: GraveOptions;
  readonly #folders: LockFolders;

  constructor(options: LockFilesOptions) {
    this.#options = options;
    this.#folders = new LockFolders(options.directory, options.dirPerms);
    this.#grave = {
      directory: options.directory,
      identity: options.identity,
      isDead: (file) => this.#isDead(file),
    };
  }

  /**
   * Waits for the lock file of `id`, asking those who have it. One call for an ID at a time.
   * @throws the signal's reason; TusError ERR_INVALID_UPLOAD_ID where no file can have that name
   */
  async take(id: string, wait: LockWait): Promise<TakenFile> {
    const path = join(this.#options.directory, `${id}.lock`);
    const stop = this.#stopFile(id);
    this.#folders.enter(path);
    try {
      const inode =
        (await this.#options.identity.link(path, this.#folders)) ??
        (await this.#waitForInode(id, path, stop, wait.signal));
      const hasFolders = id.includes('/') && (await this.#hasUpload(path));
      return { path, inode, stop, hasFolders };
    } catch (error) {
      await this.#folders.leave(path);
      throw isErrno(error, 'ENOTDIR', 'ENAMETOOLONG')
        ? new TusError('ERR_INVALID_UPLOAD_ID', { cause: error })
        : error;
    }
  }

  /** Whether the lock file is still the one that was taken. */
  async isOurs(taken: TakenFile): Promise<boolean> {
    try {
      return (await lstat(taken.path, { bigint: true })).ino === taken.inode;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
  }

  async remove(taken: TakenFile): Promise<void> {
    // Whoever removed the upload could not remove its folders: this lock was in them.
    const isLast = taken.hasFolders && !(await this.#hasUpload(taken.path));
    await unless(() => this.#options.disk.unlink(taken.path), 'ENOENT');
    await this.#folders.leave(taken.path, isLast);
  }

  async #hasUpload(lockPath: string): Promise<boolean> {
    return this.#options.disk.exists(lockPath.replace(/\.lock$/, '.info'));
  }

  /**
   * Asks another process that has the lock file of `id` to let go, and waits until it has.
   * @throws the signal's reason
   */
  async settle(id: string, signal: AbortSignal): Promise<SettleResult> {
    const path = join(this.#options.directory, `${id}.lock`);
    const stop = this.#stopFile(id);
    const pause = new Pause(this.#options.acquirerPollIntervalMs, signal);
    let silent: LockFile | undefined;
    try {
      for (;;) {
        const found = await readLockFile(path);
        if (found === undefined || this.#isOwn(found))
          return silent === undefined ? 'free' : 'let-go';
        if (silent !== undefined && silent.inode !== found.inode) return 'let-go';
        const fate = await this.#judge(found, id, signal);
        if (fate === 'released') return 'let-go';
        if (fate === 'dead') return 'dead';
        if (fate === 'silent') {
          silent ??= found;
          await stop.leave();
        }
        await pause.after(fate);
      }
    } finally {
      await stop.takeBack();
    }
  }

  /** Removes what dead processes have left in our folder. */
  sweep(): Promise<void> {
    return sweepFolder(this.#grave);
  }

  /** IDs of uploads whose locks belong to dead processes of ours. */
  deadLocks(signal: AbortSignal): AsyncIterable<string> {
    return deadLocks(this.#options.directory, (file) => this.#isDead(file), signal);
  }

  /** Somebody has the lock file at `path`. */
  async #waitForInode(
    id: string,
    path: string,
    stop: StopFile,
    signal: AbortSignal,
  ): Promise<bigint> {
    const pause = new Pause(this.#options.acquirerPollIntervalMs, signal);
    let hasStopped = false;
    try {
      for (;;) {
        signal.throwIfAborted();
        const inode =
          (await this.#takeOver(id, path, signal, async (fate) => {
            if (fate === 'silent') {
              hasStopped = true;
              await stop.leave();
            }
            await pause.after(fate);
          })) ?? (await this.#options.identity.link(path, this.#folders));
        if (inode === undefined) continue;
        if (signal.aborted) await this.#options.disk.unlink(path);
        signal.throwIfAborted();
        // It was for the holder before us, and would interrupt us.
        if (hasStopped) await stop.remove();
        return inode;
      }
    } catch (error) {
      await stop.takeBack();
      throw error;
    }
  }

  /** Gets the lock file at `path` if it is nobody's any more; otherwise waits for a change. */
  async #takeOver(
    id: string,
    path: string,
    signal: AbortSignal,
    onFate: (fate: HolderFate) => Promise<void>,
  ): Promise<bigint | undefined> {
    const found = await readLockFile(path);
    if (found === undefined) return undefined;
    // We hold no lock for this ID, so it is one that we failed to remove, or a network disk that did not tell us that
    // linking had worked. Nobody but us can touch it.
    if (this.#isOwn(found)) return found.inode;
    const fate = await this.#judge(found, id, signal);
    if (fate === 'dead') {
      const inode = await replaceDeadLock(path, found, this.#grave);
      if (inode !== undefined) return inode;
    }
    await onFate(fate);
    return undefined;
  }

  #judge(found: LockFile, id: string, signal: AbortSignal): Promise<HolderFate> {
    const { host, leaseMs, identity } = this.#options;
    return judgeHolder(found, id, { host, leaseMs, signal, now: () => identity.touch() });
  }

  /** A process that lives says so at once; one that stands still (SIGSTOP) does not, and is not dead. */
  async #isDead(file: LockFile): Promise<boolean> {
    const patience = AbortSignal.timeout(livenessMs);
    try {
      return (await this.#judge(file, '', patience)) === 'dead';
    } catch (error) {
      if (patience.aborted) return false;
      throw error;
    }
  }

  #isOwn(found: LockFile): boolean {
    return found.address?.nonce === this.#options.nonce;
  }

  #stopFile(id: string): StopFile {
    return new StopFile(join(this.#options.directory, `${id}.stop`), this.#options.filePerms);
  }
}

/** How long to wait at most where a moment should be enough: another's burial, or a connection that broke, in milliseconds. */
const longestMomentMs = 32;

/** How long to wait until the lock file is looked at again. */
class Pause {
  readonly #pollIntervalMs: number;
  readonly #signal: AbortSignal;
  #momentMs = 1;

  constructor(pollIntervalMs: number, signal: AbortSignal) {
    this.#pollIntervalMs = pollIntervalMs;
    this.#signal = signal;
  }

  async after(fate: HolderFate): Promise<void> {
    if (fate === 'released') {
      this.#momentMs = 1;
      return;
    }
    const delayMs = fate === 'silent' ? this.#pollIntervalMs : this.#momentMs;
    this.#momentMs = Math.min(2 * this.#momentMs, longestMomentMs);
    await sleep(delayMs, undefined, { signal: this.#signal }).catch(() =>
      this.#signal.throwIfAborted(),
    );
  }
}
