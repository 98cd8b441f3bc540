import type { Body } from '../core/body.js';
import type { HeldLock } from './with-lock.js';
import { WrappedBody } from './wrapped-body.js';

/**
 * A body that hands out nothing once the lock is lost. It looks itself: in a process that stood still for longer than its
 * lease, the bytes that came meanwhile are read before the timer runs that would tell.
 */
export class HeldBody extends WrappedBody {
  readonly #held: Pick<HeldLock, 'lost'>;

  constructor(source: Body, held: Pick<HeldLock, 'lost'>) {
    super(source);
    this.#held = held;
  }

  async next(): Promise<Uint8Array[] | null> {
    const batch = await this.source.next();
    return this.#held.lost?.aborted ? null : batch;
  }
}
