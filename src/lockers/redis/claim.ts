import { Bell } from './bell.js';
import type { LockKeys } from './lock-keys.js';
import type { Recipient } from './mailbox.js';
import { reach } from './reach.js';
import { Stopwatch } from './stopwatch.js';

export interface ClaimOptions {
  readonly keys: LockKeys;
  readonly id: string;
  readonly token: string;
  readonly leaseMs: number;
  /** Somebody wants the lock before this claim's holder has heard of it. */
  readonly onAsk: () => void;
}

/** A lock that Redis has given. */
export interface Grant {
  readonly fence: number;
  readonly isWanted: boolean;
  /** Since the lock was asked for: the lease began a little later. */
  readonly since: Stopwatch;
}

/** One wish for a lock, until it is fulfilled or given up. */
export class Claim implements Recipient {
  readonly #options: ClaimOptions;
  readonly #bell = new Bell();
  #attempt: Promise<unknown> = Promise.resolve();

  constructor(options: ClaimOptions) {
    this.#options = options;
  }

  ask(): void {
    this.#options.onAsk();
  }

  look(): void {
    this.#bell.ring();
  }

  /**
   * Waits for the lock.
   * @throws what `reach` throws
   */
  async take(signal: AbortSignal): Promise<Grant> {
    signal.throwIfAborted();
    const { keys, id, token, leaseMs } = this.#options;
    for (;;) {
      let since = new Stopwatch();
      const acquired = await reach(() => {
        since = new Stopwatch();
        const attempt = keys.acquire(id, token);
        this.#attempt = attempt;
        return attempt;
      }, signal);
      if (!acquired.isTaken) await this.#bell.wait(acquired.lookAgainMs, signal);
      // An answer that took long leaves too little of the lease, as far as we can know.
      else if (since.elapsedMs < leaseMs / 3) return { ...acquired, since };
    }
  }

  /** Gives up: no lock, and no place in the line, is left behind. */
  async withdraw(): Promise<void> {
    const { keys, id, token, leaseMs } = this.#options;
    // What a client holds back while it has no connection is sent yet, and may bring the lock.
    await this.#attempt.catch(() => undefined);
    // If Redis cannot be reached for so long, both have run out.
    await reach(() => keys.release(id, token), AbortSignal.timeout(leaseMs)).catch(() => undefined);
  }
}
