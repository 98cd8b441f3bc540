import type { Body, BodyEnd, StopReason } from '../core/body.js';
import type { HeldLock } from './with-lock.js';

/**
 * A body that hands out nothing once the lock is lost. It looks itself: in a process that stood still for longer than its
 * lease, the bytes that came meanwhile are read before the timer runs that would tell.
 */
export class HeldBody implements Body {
  readonly #source: Body;
  readonly #held: Pick<HeldLock, 'lost'>;

  constructor(source: Body, held: Pick<HeldLock, 'lost'>) {
    this.#source = source;
    this.#held = held;
  }

  get endReason(): BodyEnd | undefined {
    return this.#source.endReason;
  }

  get trailers(): Readonly<Record<string, string>> | undefined {
    return this.#source.trailers;
  }

  stop(reason: StopReason): void {
    this.#source.stop(reason);
  }

  async next(): Promise<Uint8Array[] | null> {
    const batch = await this.#source.next();
    return this.#held.lost?.aborted ? null : batch;
  }
}
