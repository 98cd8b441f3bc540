import type { Lock } from '../../core/locker.js';
import { type Turn, waitInLine } from '../lock-queue.js';
import type { LockFiles, TakenFile } from './lock-files.js';

export interface FileLockOptions {
  readonly turn: Turn;
  readonly taken: TakenFile;
  readonly files: LockFiles;
  /** For how long nobody can have taken the lock from us, in milliseconds. */
  readonly safeForMs: number;
  /** Called once the lock file has gone. */
  readonly onUnlocked: () => void;
}

/**
 * How long a waiter in another process has to come before the next one in ours, in milliseconds. He needs one or two;
 * without a head start he would never win against a process that is busy with this upload.
 */
const headStartMs = 10;

/** A held lock file. */
export class FileLock implements Lock {
  readonly #options: FileLockOptions;
  readonly #takenAt = Date.now();
  /** Waiters in other processes. */
  readonly #outsiders = new Set<() => void>();
  #lost: AbortController | undefined;
  #isLost = false;
  #hasStopFile = false;
  #unlocking: Promise<void> | undefined;

  constructor(options: FileLockOptions) {
    this.#options = options;
  }

  get lost(): AbortSignal {
    if (this.#lost === undefined) {
      this.#lost = new AbortController();
      if (this.#isLost) this.#lost.abort();
    }
    return this.#lost.signal;
  }

  unlock(): Promise<void> {
    this.#unlocking ??= this.#unlock();
    return this.#unlocking;
  }

  /** Another process wants the lock: asks the holder, and waits until it has let go. */
  async letGo(signal: AbortSignal): Promise<void> {
    if (this.#isLost) return;
    this.#options.turn.ask();
    await waitInLine(this.#outsiders, signal, () => undefined);
  }

  /** What is to be looked at every now and then, because nobody tells: tusd's `.stop` file, and whether the lock is ours. */
  async check(): Promise<void> {
    const { files, safeForMs, taken, turn } = this.#options;
    if (this.#ageMs() < safeForMs || this.#isLost || this.#unlocking !== undefined) return;
    if (await taken.stop.exists()) {
      this.#hasStopFile = true;
      turn.ask();
    }
    if ((await files.isOurs(taken)) || this.#unlocking !== undefined) return;
    this.#isLost = true;
    this.#lost?.abort();
    this.#tellOutsiders();
  }

  async #unlock(): Promise<void> {
    const { onUnlocked, turn } = this.#options;
    turn.mute();
    // A lock file that cannot be removed is taken over by the next in this process; others wait for it.
    await this.#removeFiles().catch(() => undefined);
    onUnlocked();
    const isWanted = this.#outsiders.size > 0 && turn.line !== undefined;
    this.#tellOutsiders();
    if (isWanted) setTimeout(() => void turn.unlock(), headStartMs);
    else await turn.unlock();
  }

  async #removeFiles(): Promise<void> {
    const { files, safeForMs, taken } = this.#options;
    if (this.#isLost) return;
    if (this.#hasStopFile) await taken.stop.remove();
    if (this.#ageMs() < safeForMs || (await files.isOurs(taken))) await files.remove(taken);
  }

  #tellOutsiders(): void {
    for (const outsider of this.#outsiders) outsider();
  }

  /** By the wall clock, so that it counts when the machine slept; endless if it was turned back. */
  #ageMs(): number {
    const ageMs = Date.now() - this.#takenAt;
    return ageMs < 0 ? Infinity : ageMs;
  }
}
