import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from '../../dist/lockers/redis/redis-client.js';

/** A client, and what ends it. */
export interface OpenClient {
  readonly client: RedisClient;
  readonly close: () => void;
}

/** The clients that a Redis locker works with, as their users make them. */
export const redisClients: Readonly<Record<string, (url: string) => Promise<OpenClient>>> = {
  ioredis: async (url) => {
    const client = new Redis(url);
    client.on('error', () => undefined);
    return { client, close: () => client.disconnect() };
  },
  'node-redis': async (url) => {
    const client = createClient({ url });
    client.on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
};
