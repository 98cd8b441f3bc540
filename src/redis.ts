// What a program imports that keeps its locks in Redis or Valkey; everything else is in the main entry.
export type {
  IoredisClient,
  IoredisSubscriber,
  NodeRedisClient,
  NodeRedisSubscriber,
  RedisClient,
} from './lockers/redis/redis-client.js';
export { RedisLocker, type RedisLockerOptions } from './lockers/redis/redis-locker.js';
