import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type {
  Lock,
  Locker,
  LockerCapabilities,
  LockOptions,
  LockWait,
} from '../../dist/core/locker.js';
import { LockQueue, type Turn } from '../../dist/lockers/lock-queue.js';

/** The place that lockers of several hosts share: what Redis or Consul would be. */
export class LeaseServer {
  readonly queue = new LockQueue();
  readonly #held = new Map<string, LeasedLock>();
  #fence = 0;

  grant(id: string, turn: Turn): LeasedLock {
    this.#fence++;
    const lock = new LeasedLock(this.#fence, turn, () => this.#held.delete(id));
    this.#held.set(id, lock);
    return lock;
  }

  /** Ends the lease of `id` in the middle of whatever its holder does. */
  endLease(id: string): void {
    this.#held.get(id)?.lose();
  }

  /** IDs that somebody holds: a test's last look. */
  get heldIds(): readonly string[] {
    return [...this.#held.keys()];
  }
}

/** A locker with leases and fences whose every answer takes a while, as a server's does. */
export class LeasedLocker implements Locker {
  readonly capabilities: LockerCapabilities = { scope: 'cluster', leaseMs: 10_000 };
  readonly #server: LeaseServer;

  constructor(server = new LeaseServer()) {
    this.#server = server;
  }

  async lock(id: string, options: LockOptions): Promise<Lock> {
    const { queue } = this.#server;
    const turn = await queue.enter(id, options);
    await turnOfTheLoop();
    if (options.signal.aborted) {
      await turn.unlock();
      throw options.signal.reason;
    }
    const lock = this.#server.grant(id, turn);
    turn.onAsk(options.requestRelease);
    return lock;
  }

  async settle(id: string, wait: LockWait): Promise<boolean> {
    const hadHolder = await this.#server.queue.settle(id, wait);
    await turnOfTheLoop();
    wait.signal.throwIfAborted();
    return hadHolder;
  }

  async isLocked(id: string): Promise<boolean> {
    await turnOfTheLoop();
    return this.#server.queue.isTaken(id);
  }
}

class LeasedLock implements Lock {
  readonly fence: number;
  readonly #turn: Turn;
  readonly #onEnd: () => void;
  readonly #lost = new AbortController();
  #hasEnded = false;

  constructor(fence: number, turn: Turn, onEnd: () => void) {
    this.fence = fence;
    this.#turn = turn;
    this.#onEnd = onEnd;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  lose(): void {
    this.#end();
    this.#lost.abort(new Error('the lease has ended'));
  }

  async unlock(): Promise<void> {
    this.#turn.mute();
    await turnOfTheLoop();
    this.#end();
  }

  /** Once: a lock that ended must not end the one after it. */
  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd();
    void this.#turn.unlock();
  }
}
