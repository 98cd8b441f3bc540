import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { describe, it } from 'vitest';
import { RedisLocker } from '../../dist/lockers/redis/redis-locker.js';
import { describeLocker } from '../../dist/testing/locker-suite.js';
import { redisClients } from '../fakes/redis-clients.js';
import { startRedis } from '../services/start-redis.js';
import { useService } from '../services/use-service.js';

const leaseMs = 1000;
const redis = useService('redis-server', startRedis);
let places = 0;

for (const [name, connect] of Object.entries(redisClients)) {
  describeLocker(
    { describe, it },
    {
      name: `RedisLocker with ${name}`,
      capabilities: { scope: 'cluster', leaseMs },
      async open() {
        const { url } = redis();
        const keyPrefix = `place-${places++}:`;
        const clients = [await connect(url), await connect(url)] as const;
        const [locker, second] = [
          new RedisLocker({ client: clients[0].client, leaseMs, keyPrefix }),
          new RedisLocker({ client: clients[1].client, leaseMs, keyPrefix }),
        ];
        const observer = new Redis(url);
        return {
          locker,
          second,
          endLease: async (id) => void (await observer.del(`${keyPrefix}{${id}}:lock`)),
          async close() {
            await locker.close();
            await second.close();
            for (const client of clients) client.close();
            const left = await observer.keys(`${keyPrefix}*`);
            for (const key of left) assert.match(key, /:fence$/, 'nothing but fences stays behind');
            for (const key of left) assert.ok((await observer.pttl(key)) > 0, 'nor do they');
            observer.disconnect();
          },
        };
      },
    },
  );
}
