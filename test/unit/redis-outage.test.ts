import { setImmediate as turnOfTheLoop, setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RedisLocker } from '../../dist/lockers/redis/redis-locker.js';
import { connect, fired, openLocker, take } from '../fakes/redis-bench.js';
import { redisClients } from '../fakes/redis-clients.js';
import { type Redis, startRedis } from '../services/start-redis.js';
import { startToxiproxy } from '../services/start-toxiproxy.js';
import { useService } from '../services/use-service.js';

const leaseMs = 1200;
/** By how much a busy machine may be late, in milliseconds. */
const busyMs = 300;
const unavailable = expect.objectContaining({ code: 'ERR_LOCK_UNAVAILABLE', status: 503 });
const redis = useService('redis-server', startRedis);
beforeEach(async () => {
  redis().resume();
  await redis().restart();
});

async function elapsed(work: Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work;
  return performance.now() - since;
}

for (const [name, open] of Object.entries(redisClients)) {
  describe(`Redis is away from a locker with ${name}`, () => {
    async function openHere(ownLeaseMs = leaseMs): Promise<RedisLocker> {
      const { client, close } = await open(redis().url);
      const locker = new RedisLocker({ client, leaseMs: ownLeaseMs });
      onTestFinished(async () => {
        await locker.close();
        close();
      });
      return locker;
    }

    const faults: Readonly<Record<string, (server: Redis) => Promise<void>>> = {
      'is killed': (server) => server.kill(),
      'stands still': async (server) => server.pause(),
    };
    for (const [fault, strike] of Object.entries(faults)) {
      it(`the holder is told before its lease ends where it ${fault}`, async () => {
        const locker = await openHere();
        const lock = await take(locker, 'upload');
        await strike(redis());
        expect(await elapsed(fired(lock.lost))).toBeLessThan(leaseMs + busyMs);
        expect(await elapsed(lock.unlock())).toBeLessThan(busyMs);
      });

      it(`lock() and settle() end with their signal and the cause where it ${fault}`, async () => {
        const locker = await openHere();
        await (await take(locker, 'upload')).unlock();
        await strike(redis());
        const limitMs = 1200;
        const signal = AbortSignal.timeout(limitMs);
        const failures = [take(locker, 'upload', { signal }), locker.settle('other', { signal })];
        const since = performance.now();
        for (const failure of failures) await expect(failure).rejects.toEqual(unavailable);
        expect(performance.now() - since).toBeLessThan(limitMs + busyMs);
        await expect(failures[0]).rejects.toHaveProperty('cause', expect.any(Error));
      });

      it(`unlock() does not hold the request up where it ${fault}`, async () => {
        const locker = await openHere();
        const lock = await take(locker, 'upload');
        await strike(redis());
        expect(await elapsed(lock.unlock())).toBeLessThan(1000 + busyMs);
        expect(lock.lost?.aborted).toBe(false);
      });
    }

    it('a lock that is waited for while Redis starts again is had then', async () => {
      const locker = await openHere();
      await (await take(locker, 'upload')).unlock();
      await redis().kill();
      const taking = take(locker, 'upload');
      await redis().restart();
      const lock = await taking;
      expect(lock.lost?.aborted).toBe(false);
      await lock.unlock();
      expect(await locker.isLocked('upload')).toBe(false);
    });

    it('a holder is told that Redis has started again without its lock', async () => {
      const [locker, other] = [await openHere(), await openHere()];
      const lock = await take(locker, 'upload');
      await redis().restart();
      const next = await take(other, 'upload');
      await fired(lock.lost);
      expect(next.fence).toBeGreaterThan(lock.fence ?? Infinity);
      await next.unlock();
      await (await take(locker, 'upload')).unlock();
    });

    it('who gave up takes no lock when Redis goes on', async () => {
      const locker = await openHere(15_000);
      await (await take(locker, 'upload')).unlock();
      redis().pause();
      const giveUp = new AbortController();
      const taking = take(locker, 'upload', { signal: giveUp.signal });
      // The command is on its way then.
      await turnOfTheLoop();
      giveUp.abort(new Error('no more'));
      await expect(taking).rejects.toThrow('no more');
      redis().resume();
      const observer = connect(redis().port);
      await expect.poll(() => observer.keys('*:lock')).toEqual([]);
    });
  });
}

describe('Redis is away', () => {
  it('what a client fails with at once is tried again', async () => {
    const client = connect(redis().port, { maxRetriesPerRequest: 0 });
    const locker = new RedisLocker({ client, leaseMs });
    onTestFinished(() => locker.close());
    await (await take(locker, 'upload')).unlock();
    await redis().kill();
    const taking = take(locker, 'upload');
    const settling = locker.settle('other', { signal: new AbortController().signal });
    const looking = locker.isLocked('other');
    await expect(client.ping()).rejects.toThrow();
    await redis().restart();
    await (await taking).unlock();
    expect([await settling, await looking]).toEqual([false, false]);
  });

  it('a lock whose grant was longer on its way than its lease is not given', async () => {
    const locker = openLocker(redis().port, { leaseMs });
    await (await take(locker, 'upload')).unlock();
    redis().pause();
    const taking = take(locker, 'upload');
    await sleep(leaseMs + 100);
    redis().resume();
    const lock = await taking;
    expect(lock.lost?.aborted).toBe(false);
    await lock.unlock();
  });

  it('isLocked() gives up by itself', async () => {
    const locker = openLocker(redis().port, { leaseMs });
    expect(await locker.isLocked('upload')).toBe(false);
    redis().pause();
    await expect(locker.isLocked('upload')).rejects.toEqual(unavailable);
  });

  it.each(['-evalsha', '-set', 'resetchannels'])(
    'what Redis refuses for good fails at once: %s',
    async (rule) => {
      const locker = openLocker(redis().port, { leaseMs });
      const holder = openLocker(redis().port, { leaseMs });
      await take(holder, 'held');
      await connect(redis().port).acl('SETUSER', 'default', rule);
      const id = rule === 'resetchannels' ? 'held' : 'free';
      const refusal = expect(take(locker, id)).rejects.toEqual(unavailable);
      expect(await elapsed(refusal)).toBeLessThan(busyMs);
    },
  );
});

describe('a holder that is cut off from Redis', () => {
  const toxiproxy = useService('toxiproxy', startToxiproxy);

  it('has been told before another one has its lock', async () => {
    for (const cut of ['closed', 'silent'] as const) {
      const proxy = await toxiproxy().proxy(redis().port);
      const locker = openLocker(proxy.port, { leaseMs });
      const other = openLocker(redis().port, { leaseMs });
      const lock = await take(locker, cut);
      const { lost } = lock;
      if (cut === 'closed') await proxy.switch(false);
      else
        await proxy.addToxic({ type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } });
      const next = await take(other, cut);
      // The signal that was read before, not the clock.
      expect(lost?.aborted).toBe(true);
      await next.unlock();
    }
  });
});
