import { TusError } from '../../core/errors.js';
import type { Lock } from '../../core/locker.js';
import type { Turn } from '../lock-queue.js';
import type { Grant } from './claim.js';
import type { LockKeys } from './lock-keys.js';
import type { Recipient } from './mailbox.js';
import { answerMs, reach } from './reach.js';
import { Stopwatch } from './stopwatch.js';

export interface RedisLockOptions {
  readonly keys: LockKeys;
  readonly id: string;
  readonly token: string;
  readonly grant: Grant;
  readonly turn: Turn;
  readonly leaseMs: number;
  /** Called once it is unlocked or lost. */
  readonly onEnd: () => void;
}

/** A lock held in Redis. */
export class RedisLock implements Lock, Recipient {
  readonly fence: number;
  readonly #options: RedisLockOptions;
  /** Since the last renewal that succeeded was sent. */
  #since: Stopwatch;
  #isRenewing = false;
  #isLost = false;
  #lost: AbortController | undefined;
  #unlocking: Promise<void> | undefined;

  constructor(options: RedisLockOptions) {
    this.#options = options;
    this.fence = options.grant.fence;
    this.#since = options.grant.since;
  }

  /** Looks at the clock: in a process that stood still, other work may come before the timer that would tell. */
  get lost(): AbortSignal {
    this.#loseIfOver(0);
    if (this.#lost === undefined) {
      this.#lost = new AbortController();
      if (this.#isLost) this.#lost.abort(lossOfLock());
    }
    return this.#lost.signal;
  }

  unlock(): Promise<void> {
    this.#unlocking ??= this.#isLost ? Promise.resolve() : this.#unlock();
    return this.#unlocking;
  }

  ask(): void {
    this.#options.turn.ask();
  }

  look(): void {
    void this.#renew();
  }

  /** To be called every `intervalMs`: renews in the first third of the lease, and ends before it where that fails. */
  tick(intervalMs: number): void {
    this.#loseIfOver(intervalMs);
    const isDue = this.#since.elapsedMs + intervalMs > this.#options.leaseMs / 3;
    if (isDue) void this.#renew();
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing || this.#hasEnded) return;
    this.#isRenewing = true;
    const { keys, id, token } = this.#options;
    const since = new Stopwatch();
    try {
      const renewed = await keys.renew(id, token);
      if (this.#hasEnded) return;
      if (renewed === 'lost') this.#lose();
      else this.#since = since;
      if (renewed === 'wanted') this.ask();
    } catch {
      // Redis is away. It may be back before the lease ends; if not, the clock tells.
    } finally {
      this.#isRenewing = false;
    }
  }

  get #hasEnded(): boolean {
    return this.#isLost || this.#unlocking !== undefined;
  }

  #loseIfOver(marginMs: number): void {
    if (!this.#hasEnded && this.#since.elapsedMs + marginMs >= this.#options.leaseMs) this.#lose();
  }

  #lose(): void {
    this.#isLost = true;
    this.#options.onEnd();
    this.#lost?.abort(lossOfLock());
    void this.#options.turn.unlock();
  }

  async #unlock(): Promise<void> {
    const { turn, onEnd } = this.#options;
    turn.mute();
    onEnd();
    await within(answerMs, this.#release());
    await turn.unlock();
  }

  /** Whoever has the turn next here may take over what is left. Others wait for the end of the lease at most. */
  async #release(): Promise<void> {
    const { keys, id, token, leaseMs } = this.#options;
    const attempt = (): Promise<void> => keys.release(id, token);
    await attempt()
      .catch(() => reach(attempt, AbortSignal.timeout(leaseMs)))
      .catch(() => undefined);
  }
}

function lossOfLock(): TusError {
  return new TusError('ERR_LOCK_LOST');
}

/** Waits for the promise, but not for longer than `limitMs`. */
async function within(limitMs: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([promise, limit]);
  clearTimeout(timer);
}
