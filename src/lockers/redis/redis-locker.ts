import { randomBytes } from 'node:crypto';
import type { Lock, Locker, LockerCapabilities, LockOptions, LockWait } from '../../core/locker.js';
import { LockQueue, type Turn } from '../lock-queue.js';
import { Bell } from './bell.js';
import { Claim } from './claim.js';
import { LockKeys } from './lock-keys.js';
import { Mailbox } from './mailbox.js';
import { reach } from './reach.js';
import { connectionOf, type RedisClient } from './redis-client.js';
import { RedisLock } from './redis-lock.js';

/** Which Redis, and how long a holder may be silent. */
export interface RedisLockerOptions {
  /**
   * A client of `ioredis` or `redis`, of whichever kind: single server, Sentinel, Cluster. One of `redis` must have been
   * told to `connect()`. It is not closed by the locker.
   */
  readonly client: RedisClient;
  /**
   * How long a lock outlives the last sign of life of its holder, in whole milliseconds. A holder renews three times in
   * that time; one that cannot gives up before it is over. Default: 15000.
   */
  readonly leaseMs?: number;
  /** Begins the names of all keys and channels; without braces. Servers that share uploads must agree on it. Default: `tuskd:`. */
  readonly keyPrefix?: string;
}

/** How long `isLocked()` tries to reach Redis, in milliseconds: nobody else bounds it. */
const lookMs = 3000;
/** How many times within a lease the locks are looked after. */
const ticksPerLease = 12;

/**
 * Locks for any number of hosts that share a Redis or Valkey server. A lock that is free costs one trip, and letting go
 * another one. Holders are asked, and waiters told, by messages, so a lock changes hands within a millisecond or two.
 *
 * A holder that dies keeps others out until its lease ends. One that was paused, or cut off from Redis, learns from its
 * own clock that it has lost the lock; what it may still write then, the fence keeps out of the store.
 *
 * `settle()` waits for the holder of the moment, not for those who already wait to follow it.
 */
export class RedisLocker implements Locker {
  readonly capabilities: LockerCapabilities;
  readonly #leaseMs: number;
  readonly #keys: LockKeys;
  /** Requests of this process stand in line here; only the first of them deals with Redis. */
  readonly #queue = new LockQueue();
  readonly #held = new Set<RedisLock>();
  readonly #mailbox: Mailbox;
  readonly #owner = randomBytes(12).toString('hex');
  #claims = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @throws TypeError where the prefix has braces */
  constructor({ client, leaseMs = 15_000, keyPrefix = 'tuskd:' }: RedisLockerOptions) {
    if (/[{}]/.test(keyPrefix)) throw new TypeError('keyPrefix must not have braces');
    const connection = connectionOf(client);
    this.#leaseMs = leaseMs;
    this.#keys = new LockKeys(connection, keyPrefix, leaseMs);
    this.#mailbox = new Mailbox(connection, this.#keys.channel(this.#owner));
    this.capabilities = { scope: 'cluster', leaseMs };
  }

  /** @throws also TusError ERR_LOCK_UNAVAILABLE, where Redis could not be reached in time or refuses to lock */
  async lock(id: string, options: LockOptions): Promise<Lock> {
    if (options.isNew) return this.#queue.enter(id, options, options.requestRelease);
    const turn = await this.#queue.enter(id, options);
    try {
      return await this.#take(id, turn, options);
    } catch (error) {
      await turn.unlock();
      throw error;
    }
  }

  /** @throws also TusError ERR_LOCK_UNAVAILABLE */
  async settle(id: string, options: LockWait): Promise<boolean> {
    // Also one that is still about to get the lock: it was here first.
    if (this.#queue.isTaken(id)) return this.#queue.settle(id, options);
    const { signal } = options;
    signal.throwIfAborted();
    const token = this.#newToken();
    const bell = new Bell();
    this.#mailbox.enter(token, { ask: () => undefined, look: () => bell.ring() });
    try {
      const look = (): ReturnType<LockKeys['watch']> => this.#keys.watch(id, token);
      const first = await reach(look, signal);
      let holder = first;
      while (holder !== undefined && holder.token === first?.token) {
        await bell.wait(holder.lookAgainMs, signal);
        holder = await reach(look, signal);
      }
      return first !== undefined;
    } finally {
      this.#mailbox.leave(token);
    }
  }

  /** @throws TusError ERR_LOCK_UNAVAILABLE */
  async isLocked(id: string): Promise<boolean> {
    if (this.#queue.isTaken(id)) return true;
    return reach(() => this.#keys.exists(id), AbortSignal.timeout(lookMs));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#mailbox.close();
  }

  async #take(id: string, turn: Turn, options: LockOptions): Promise<Lock> {
    const common = { keys: this.#keys, id, token: this.#newToken(), leaseMs: this.#leaseMs };
    const { token } = common;
    const claim = new Claim({ ...common, onAsk: () => turn.ask() });
    this.#mailbox.enter(token, claim);
    try {
      const grant = await claim.take(options.signal);
      const onEnd = (): void => {
        this.#held.delete(lock);
        this.#mailbox.leave(token);
      };
      const lock = new RedisLock({ ...common, grant, turn, onEnd });
      this.#mailbox.enter(token, lock);
      this.#held.add(lock);
      this.#watch();
      turn.onAsk(options.requestRelease);
      if (grant.isWanted) turn.ask();
      return lock;
    } catch (error) {
      this.#mailbox.leave(token);
      void claim.withdraw();
      throw error;
    }
  }

  #newToken(): string {
    this.#claims += 1;
    return `${this.#owner}.${this.#claims}`;
  }

  /** Looks after the locks as long as there are any. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    const intervalMs = this.#leaseMs / ticksPerLease;
    this.#timer = setInterval(() => {
      for (const lock of this.#held) lock.tick(intervalMs);
      if (this.#held.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    }, intervalMs).unref();
  }
}
