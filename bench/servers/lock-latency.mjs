// Not TypeScript: it loads what users load, the built package, and ioredis beside it.
import { Redis } from 'ioredis';
import { RedisLocker } from '../../dist/redis.js';

const [, , url] = process.argv;
const client = new Redis(url);
const locker = new RedisLocker({ client });
const options = { signal: new AbortController().signal, requestRelease: () => undefined };
const warmUps = 500;
const times = [];
for (let round = 0; round < 2 * warmUps; round += 1) {
  const startedAt = performance.now();
  const lock = await locker.lock('upload', options);
  await lock.unlock();
  if (round >= warmUps) times.push(performance.now() - startedAt);
}
await locker.close();
client.disconnect();
console.log(times.sort((a, b) => a - b)[warmUps / 2]);
