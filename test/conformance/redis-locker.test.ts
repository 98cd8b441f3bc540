import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, it } from 'vitest';
import { RedisLocker } from '../../dist/lockers/redis/redis-locker.js';
import { describeLocker } from '../../dist/testing/locker-suite.js';

const leaseMs = 1000;
let n = 0;
describeLocker({ describe, it }, {
  name: 'RedisLocker with ioredis',
  capabilities: { scope: 'cluster', leaseMs },
  async open() {
    const clients = [new Redis(16399), new Redis(16399)] as const;
    const keyPrefix = `t${n++}:`;
    const [locker, second] = clients.map((client) => new RedisLocker({ client, leaseMs, keyPrefix }));
    assert.ok(locker && second);
    return { locker, second, endLease: async (id) => void (await clients[0].del(`${keyPrefix}{${id}}:lock`)),
      close: async () => {
        await locker.close(); await second.close();
        const left = await clients[0].keys(`${keyPrefix}*`);
        for (const client of clients) client.disconnect();
        assert.deepEqual(left.filter((key) => !key.endsWith(':fence')), []);
      } };
  },
});
describeLocker({ describe, it }, {
  name: 'RedisLocker with node-redis',
  capabilities: { scope: 'cluster', leaseMs },
  async open() {
    const make = async () => createClient({ url: 'redis://127.0.0.1:16399' }).on('error', () => undefined).connect();
    const clients = [await make(), await make()] as const;
    const keyPrefix = `u${n++}:`;
    const [locker, second] = clients.map((client) => new RedisLocker({ client, leaseMs, keyPrefix }));
    assert.ok(locker && second);
    return { locker, second, endLease: async (id) => void (await clients[0].del(`${keyPrefix}{${id}}:lock`)),
      close: async () => {
        await locker.close(); await second.close();
        const left = await clients[0].keys(`${keyPrefix}*`);
        for (const client of clients) client.destroy();
        assert.deepEqual(left.filter((key) => !key.endsWith(':fence')), []);
      } };
  },
});
