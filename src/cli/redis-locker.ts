import type { Redis } from 'ioredis';
import type { Locker } from '../core/locker.js';
import type { Logger } from '../core/logger.js';
import { RedisLocker } from '../lockers/redis/redis-locker.js';
import { errorMessage } from './error-message.js';
import { optionalPackage } from './optional-package.js';
import type { ParsedFlags } from './parse-flags.js';
import { StartError } from './start-error.js';

/** How long Redis may be silent when it has something to answer, until the connection counts as dead, in milliseconds. */
const silenceMs = 3000;
const longestPauseMs = 1000;

/**
 * A locker with a client of its own. Redis need not be there yet: until it is, requests that need a lock wait, and fail
 * in the end.
 */
export async function openRedisLocker(flags: ParsedFlags, logger: Logger): Promise<Locker> {
  const url = redisUrl(flags);
  const Redis = await loadIoredis();
  const client = new Redis(url, {
    connectTimeout: silenceMs,
    socketTimeout: silenceMs,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(50 * times, longestPauseMs),
  });
  let isAway = false;
  client.on('error', (error: Error) => {
    // One for each attempt to connect.
    if (!isAway) logger.log('warn', 'RedisUnavailable', { error: errorMessage(error) });
    isAway = true;
  });
  client.on('ready', () => {
    if (isAway) logger.log('info', 'RedisAvailable');
    isAway = false;
  });
  return new OwningLocker(client, flags.get('redis-lease'));
}

/** Closes its client, too: nobody else knows it. */
class OwningLocker extends RedisLocker {
  readonly #client: Redis;

  constructor(client: Redis, leaseMs: number) {
    super({ client, leaseMs });
    this.#client = client;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#client.disconnect();
  }
}

/**
 * Where Redis is. What is wrong with it is told without it: it may have a password.
 * @throws StartError
 */
export function redisUrl(flags: ParsedFlags): string {
  const { TUSKD_REDIS_URL, REDIS_URL } = process.env;
  const url = [flags.get('redis-url'), TUSKD_REDIS_URL, REDIS_URL].find(Boolean);
  if (url === undefined) {
    throw new StartError(
      '-locker redis needs -redis-url, or TUSKD_REDIS_URL or REDIS_URL in the environment',
    );
  }
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new StartError(
      'the URL of Redis must be such as redis://HOST:PORT or rediss://HOST:PORT',
    );
  }
  return url;
}

/** @throws StartError where the package is not installed */
export async function loadIoredis(): Promise<typeof Redis> {
  return (await optionalPackage('-locker redis', 'ioredis', () => import('ioredis'))).Redis;
}
