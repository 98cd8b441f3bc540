import type { Lock, Locker, LockerCapabilities, LockOptions, LockWait } from '../core/locker.js';
import { LockQueue } from './lock-queue.js';

/**
 * Locks for uploads that only one process touches. Costs neither files nor timers; a waiter takes over within
 * microseconds of `unlock()`.
 *
 * `settle()` waits for the holder of the moment, not for those who already wait to follow it.
 */
export class MemoryLocker implements Locker {
  readonly capabilities: LockerCapabilities = { scope: 'process' };
  readonly #queue = new LockQueue();

  lock(id: string, options: LockOptions): Promise<Lock> {
    return this.#queue.enter(id, options, options.requestRelease);
  }

  settle(id: string, options: LockWait): Promise<boolean> {
    return this.#queue.settle(id, options);
  }

  async isLocked(id: string): Promise<boolean> {
    return this.#queue.isTaken(id);
  }
}
