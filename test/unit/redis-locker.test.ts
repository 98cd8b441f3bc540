import type { Redis as Client } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RedisLocker } from '../../dist/lockers/redis/redis-locker.js';
import { connect, fired, openLocker, take } from '../fakes/redis-bench.js';
import { startRedis } from '../services/start-redis.js';
import { useService } from '../services/use-service.js';

const redis = useService('redis-server', startRedis);
let observer: Client;
beforeEach(async () => {
  observer = connect(redis().port);
  await observer.flushall();
});

/** What Redis has carried out since `config resetstat`, by command, also within scripts. */
async function commands(): Promise<Readonly<Record<string, number>>> {
  const stats = await observer.info('commandstats');
  return Object.fromEntries(
    Array.from(stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g), ([, name = '', calls]) => [
      name,
      Number(calls),
    ]),
  );
}

/** A locker that has its channel already, and whose scripts Redis knows. */
async function settledLocker(leaseMs = 15_000): Promise<RedisLocker> {
  const locker = openLocker(redis().port, { leaseMs });
  const before = await subscribers();
  await (await take(locker, 'warm-up')).unlock();
  await expect.poll(subscribers).toBe(before + 1);
  return locker;
}

async function subscribers(): Promise<number> {
  return (await observer.pubsub('CHANNELS')).length;
}

describe('the traffic of a Redis locker', () => {
  it('is a trip for the lock, one to let go, and one for a look', async () => {
    const locker = await settledLocker();
    await observer.config('RESETSTAT');
    const lock = await take(locker, 'upload');
    expect(await commands()).toMatchObject({ evalsha: 1 });
    await lock.unlock();
    expect(await locker.isLocked('upload')).toBe(false);
    const { evalsha, exists, publish, eval: evals } = await commands();
    expect({ evalsha, publish, evals }).toEqual({ evalsha: 2 });
    // Two of them within the script that gives the lock.
    expect(exists).toBe(2);
  });

  it('is nothing for an upload that nobody has heard of', async () => {
    const locker = await settledLocker();
    await observer.config('RESETSTAT');
    const signal = new AbortController().signal;
    const lock = await locker.lock('new', { signal, requestRelease: () => undefined, isNew: true });
    await lock.unlock();
    expect(await commands()).not.toHaveProperty('evalsha');
  });

  it('is two trips for each of fifty contenders in one process', async () => {
    const locker = await settledLocker();
    await observer.config('RESETSTAT');
    await crowd(Array.from({ length: 50 }, () => locker));
    const { evalsha, publish } = await commands();
    expect({ evalsha, publish }).toEqual({ evalsha: 100 });
  });

  it('is three trips for each of fifty contenders in fifty processes: nobody is woken for nothing', async () => {
    const lockers: RedisLocker[] = [];
    for (let count = 0; count < 50; count++) lockers.push(await settledLocker());
    await observer.config('RESETSTAT');
    await crowd(lockers);
    const { evalsha = 0, publish = 0 } = await commands();
    expect(evalsha).toBeLessThanOrEqual(150);
    // One to ask and one to wake.
    expect(publish).toBeLessThanOrEqual(100);
  });

  it('is nothing while a holder does not let go and another waits', async () => {
    const [first, second] = [await settledLocker(), await settledLocker()];
    const lock = await take(first, 'upload');
    const waiting = take(second, 'upload');
    await expect.poll(() => observer.exists('tuskd:{upload}:waiters')).toBe(1);
    await observer.config('RESETSTAT');
    await sleep(1000);
    expect(await commands()).not.toHaveProperty('evalsha');
    await lock.unlock();
    await (await waiting).unlock();
  });
});

/** All want one lock at once; each holds it for a moment, and then nobody does. */
async function crowd(lockers: readonly RedisLocker[]): Promise<void> {
  let inside = 0;
  const visits = lockers.map(async (locker) => {
    const lock = await take(locker, 'upload');
    inside += 1;
    expect(inside).toBe(1);
    await sleep(1);
    inside -= 1;
    await lock.unlock();
  });
  await Promise.all(visits);
}

describe('fences', () => {
  it('rise although Redis has lost everything', async () => {
    const locker = await settledLocker();
    const fences: number[] = [];
    for (let round = 0; round < 3; round++) {
      const lock = await take(locker, 'upload');
      fences.push(lock.fence ?? 0);
      await lock.unlock();
      await observer.flushall();
    }
    expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b));
  });

  it('rise although the clock of Redis was turned back', async () => {
    const locker = await settledLocker();
    const ahead = Date.now() * 1000 + 60_000_000;
    await observer.set('tuskd:{upload}:fence', String(ahead));
    for (const expected of [ahead + 1, ahead + 2]) {
      const lock = await take(locker, 'upload');
      expect(lock.fence).toBe(expected);
      await lock.unlock();
    }
  });
});

describe('a Redis locker', () => {
  it('keeps all keys of an ID in one slot, whatever the ID', async () => {
    const locker = await settledLocker();
    for (const id of ['}', '}{', '{}', '{a}b', 'a/b%7D', '{']) {
      const lock = await take(locker, id);
      const keys = (await observer.keys('*')).filter((key) => !key.includes('warm-up'));
      expect(keys).toHaveLength(2);
      const slots = await Promise.all(keys.map((key) => slotOf(key)));
      expect(new Set(slots).size).toBe(1);
      await lock.unlock();
      await observer.flushall();
    }
    expect(() => openLocker(redis().port, { keyPrefix: '{}' })).toThrow(TypeError);
  });

  it('gives a waiter of another process its turn before the next of its own', async () => {
    const [first, second] = [await settledLocker(), await settledLocker()];
    const lock = await take(first, 'upload');
    const order: string[] = [];
    const pass = async (name: string, locker: RedisLocker): Promise<void> => {
      const taken = await take(locker, 'upload');
      order.push(name);
      await taken.unlock();
    };
    const passes = [pass('other process', second)];
    await expect.poll(() => observer.exists('tuskd:{upload}:waiters')).toBe(1);
    passes.push(pass('same process', first));
    await lock.unlock();
    await Promise.all(passes);
    expect(order).toEqual(['other process', 'same process']);
  });

  it('asks a holder at once that gets the lock while other processes wait', async () => {
    const lockers = [await settledLocker(), await settledLocker(), await settledLocker()] as const;
    const lock = await take(lockers[0], 'upload');
    let asked = 0;
    const others = [lockers[1], lockers[2]].map((locker) =>
      take(locker, 'upload', { onAsk: () => (asked += 1) }),
    );
    await expect.poll(() => observer.zcard('tuskd:{upload}:waiters')).toBe(2);
    await lock.unlock();
    const next = await Promise.race(others);
    // Far earlier than it would renew.
    await expect.poll(() => asked, { timeout: 1000 }).toBe(1);
    await next.unlock();
    for (const other of await Promise.all(others)) await other.unlock();
    expect(asked).toBe(1);
  });

  it('tells those who watch a lock whose lease has run out', async () => {
    const [first, second] = [await settledLocker(), await settledLocker()];
    const lock = await take(first, 'upload');
    const settling = second.settle('upload', { signal: new AbortController().signal });
    await expect.poll(() => observer.exists('tuskd:{upload}:watchers')).toBe(1);
    await observer.del('tuskd:{upload}:lock');
    let asked = 0;
    const next = await take(second, 'upload', { onAsk: () => (asked += 1) });
    expect(await settling).toBe(true);
    expect(asked).toBe(0);
    await next.unlock();
    await lock.unlock();
  });

  it('goes on after Redis has forgotten its scripts', async () => {
    const locker = await settledLocker();
    await observer.script('FLUSH');
    const lock = await take(locker, 'upload');
    await observer.script('FLUSH');
    await lock.unlock();
    expect(await locker.isLocked('upload')).toBe(false);
  });

  it('leaves nothing open when it is closed', async () => {
    const locker = await settledLocker();
    const before = await subscribers();
    await locker.close();
    await expect.poll(subscribers).toBe(before - 1);
  });
});

/** By the rule of the cluster specification: what is hashed is what stands between the first braces. */
async function slotOf(key: string): Promise<string> {
  const [, tag] = /^[^{]*\{([^}]+)\}/.exec(key) ?? [];
  return tag ?? key;
}

describe('messages that are lost', () => {
  it('cost a waiter no more than the lease', async () => {
    const [first, second] = [await settledLocker(600), await settledLocker(600)];
    const lock = await take(first, 'upload');
    const waiting = take(second, 'upload');
    await expect.poll(() => observer.exists('tuskd:{upload}:waiters')).toBe(1);
    // So nobody is told.
    await observer.del('tuskd:{upload}:waiters');
    await lock.unlock();
    const since = performance.now();
    await (await waiting).unlock();
    expect(performance.now() - since).toBeGreaterThan(100);
    expect(performance.now() - since).toBeLessThan(1000);
  });

  it('are made up for by the renewal: the holder is asked', async () => {
    const first = await settledLocker(600);
    let asked = 0;
    const lock = await take(first, 'upload', { onAsk: () => (asked += 1) });
    await observer.zadd('tuskd:{upload}:waiters', 1, 'nobody.1');
    await expect.poll(() => asked).toBe(1);
    await lock.unlock();
    await observer.flushall();
  });

  it('are made up for when the connection is back', async () => {
    const [first, second] = [await settledLocker(), await settledLocker()];
    const lock = await take(first, 'upload');
    const waiting = take(second, 'upload');
    await expect.poll(() => observer.exists('tuskd:{upload}:waiters')).toBe(1);
    await observer.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    // On its way while nobody listens; the waiter's lease would end in 15 seconds.
    await lock.unlock();
    await (await waiting).unlock();
  });
});

describe('a connection that breaks again while its channel is being had back', () => {
  it('leaves no failure that nobody looks at', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    for (let round = 0; round < 100; round++) {
      const client = connect(redis().port, { retryStrategy: () => 1 });
      const locker = new RedisLocker({ client });
      const lock = await take(locker, 'upload');
      await expect.poll(subscribers).toBeGreaterThan(0);
      await observer.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await sleep(round % 6);
      await lock.unlock();
      await locker.close();
      client.disconnect();
    }
    expect(unhandled).toEqual([]);
  });
});

describe('a lock that is lost', () => {
  it('is told at the next renewal, and its fence is lower than the next one', async () => {
    const [first, second] = [openLocker(redis().port, { leaseMs: 600 }), openLocker(redis().port)];
    const lock = await take(first, 'upload');
    await observer.flushall();
    const next = await take(second, 'upload');
    await fired(lock.lost);
    expect(next.fence).toBeGreaterThan(lock.fence ?? Infinity);
    await lock.unlock();
    expect(await first.isLocked('upload')).toBe(true);
    await next.unlock();
  });

  it('is not let go of for its next holder, whose it is', async () => {
    const [first, second] = [await settledLocker(), await settledLocker()];
    const lock = await take(first, 'upload');
    await observer.del('tuskd:{upload}:lock');
    const next = await take(second, 'upload');
    // It has not been told yet.
    await lock.unlock();
    expect(await first.isLocked('upload')).toBe(true);
    await next.unlock();
  });

  it('is not let go of by those who give up waiting', async () => {
    const [first, second] = [await settledLocker(), await settledLocker()];
    const lock = await take(first, 'upload');
    const giveUp = new AbortController();
    const waiting = take(second, 'upload', { signal: giveUp.signal });
    await expect.poll(() => observer.exists('tuskd:{upload}:waiters')).toBe(1);
    giveUp.abort(new Error('no more'));
    await expect(waiting).rejects.toThrow('no more');
    await expect.poll(() => observer.exists('tuskd:{upload}:waiters')).toBe(0);
    expect(await second.isLocked('upload')).toBe(true);
    await lock.unlock();
  });
});
