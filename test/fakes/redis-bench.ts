import { Redis as Client } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { Lock, Locker } from '../../dist/core/locker.js';
import { RedisLocker, type RedisLockerOptions } from '../../dist/lockers/redis/redis-locker.js';

/** An `ioredis` client that ends with the test. */
export function connect(
  port: number,
  options: { readonly maxRetriesPerRequest?: number; readonly retryStrategy?: () => number } = {},
): Client {
  const client = new Client({ port, retryStrategy: () => 20, ...options });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

/** A locker on a client of its own that ends with the test. */
export function openLocker(
  port: number,
  options: Omit<RedisLockerOptions, 'client'> = {},
): RedisLocker {
  const locker = new RedisLocker({ client: connect(port), ...options });
  onTestFinished(() => locker.close());
  return locker;
}

/** Takes a lock as a request would that lets go only when it likes. */
export function take(
  locker: Locker,
  id: string,
  options: { readonly signal?: AbortSignal; readonly onAsk?: () => void } = {},
): Promise<Lock> {
  const { signal = new AbortController().signal, onAsk = () => undefined } = options;
  return locker.lock(id, { signal, requestRelease: onAsk });
}

/** Resolves when the signal fires. */
export function fired(signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) throw new Error('no signal');
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
