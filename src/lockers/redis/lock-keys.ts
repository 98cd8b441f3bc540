import type { RedisConnection } from './redis-client.js';
import { runScript } from './scripts.js';

/** For how long a fence is counted on from the last one, in milliseconds: the clock of Redis may be turned back by that much. */
const fenceKeptMs = 3_600_000;
/** How long a lock is set aside for the next in the line, who has been told, in milliseconds. */
const reservedMs = 1000;
/** Waits until just behind the end of a lease. */
const marginMs = 2;

/** What came of asking for a lock. */
export type Acquired =
  | { readonly isTaken: true; readonly fence: number; readonly isWanted: boolean }
  | {
      readonly isTaken: false;
      /** When to look again, in milliseconds: the holder's lease ends then unless it is renewed. */
      readonly lookAgainMs: number;
    };

/** Who has a lock. */
export interface Holder {
  readonly token: string;
  readonly lookAgainMs: number;
}

/** What a holder hears when he renews. */
export type Renewed = 'renewed' | 'wanted' | 'lost';

/**
 * The keys of locks in Redis, and all that is done to them, in one trip each. For an ID there are a `lock` (the holder's
 * token), a `fence` (the last one given), and where there are such: `waiters` (tokens in their order) and `watchers`.
 */
export class LockKeys {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #leaseMs: number;

  constructor(connection: RedisConnection, prefix: string, leaseMs: number) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#leaseMs = leaseMs;
  }

  /** Where a locker listens. */
  channel(owner: string): string {
    return `${this.#channels}${owner}`;
  }

  async acquire(id: string, token: string): Promise<Acquired> {
    const keys = this.#keys(id, 'lock', 'fence', 'waiters', 'watchers');
    const reply = await this.#run('acquire', keys, token, this.#leaseMs, fenceKeptMs);
    const [isTaken, number, isWanted] = numbers(reply);
    return isTaken === 1
      ? { isTaken: true, fence: number ?? 0, isWanted: isWanted !== 0 }
      : { isTaken: false, lookAgainMs: this.#lookAgainMs(number) };
  }

  async release(id: string, token: string): Promise<void> {
    const keys = this.#keys(id, 'lock', 'waiters', 'watchers');
    await this.#run('release', keys, token, Math.min(reservedMs, this.#leaseMs));
  }

  async renew(id: string, token: string): Promise<Renewed> {
    const keys = this.#keys(id, 'lock', 'waiters', 'watchers');
    const reply = Number(await this.#run('renew', keys, token, this.#leaseMs));
    if (reply === 0) return 'lost';
    return reply === 1 ? 'renewed' : 'wanted';
  }

  /** Asks the holder to let go, and has `token` told when he has. Undefined where nobody holds the lock. */
  async watch(id: string, token: string): Promise<Holder | undefined> {
    const keys = this.#keys(id, 'lock', 'watchers');
    const [holder, leftMs] = list(await this.#run('watch', keys, token, this.#leaseMs));
    if (holder === undefined) return undefined;
    return { token: text(holder), lookAgainMs: this.#lookAgainMs(Number(leftMs)) };
  }

  exists(id: string): Promise<boolean> {
    return this.#connection.exists(this.#key(id, 'lock'));
  }

  get #channels(): string {
    return `${this.#prefix}locker:`;
  }

  /** The braces make a cluster keep all keys of an ID in one slot. A brace that closes them early would not. */
  #key(id: string, name: string): string {
    return `${this.#prefix}{${id.replaceAll(/[%}]/g, encodeURIComponent)}}:${name}`;
  }

  #keys(id: string, ...names: readonly string[]): string[] {
    return names.map((name) => this.#key(id, name));
  }

  #run(
    name: Parameters<typeof runScript>[1],
    keys: readonly string[],
    token: string,
    ...numbers: readonly number[]
  ): Promise<unknown> {
    return runScript(this.#connection, name, keys, [this.#channels, token, ...numbers.map(String)]);
  }

  /** A key without an end to its lease is not ours; a holder that lives renews in time. */
  #lookAgainMs(leftMs = -1): number {
    return marginMs + (leftMs < 0 ? this.#leaseMs : leftMs);
  }
}

/** Clients can be set up to give numbers as text, and text as bytes. */
function numbers(reply: unknown): number[] {
  return list(reply).map(Number);
}

function text(reply: unknown): string {
  if (Buffer.isBuffer(reply)) return reply.toString();
  if (typeof reply === 'string') return reply;
  throw unexpectedReply();
}

function list(reply: unknown): unknown[] {
  if (Array.isArray(reply)) return reply;
  throw unexpectedReply();
}

function unexpectedReply(): TypeError {
  return new TypeError('Redis has answered a script with something else');
}
