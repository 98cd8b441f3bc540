import { setTimeout as delay } from 'node:timers/promises';
import { isTransient } from './s3-errors.js';

/** How often and how long a call to S3 is tried. */
export interface RetryOptions {
  /** Attempts in all. */
  readonly attempts: number;
  /** Milliseconds that one attempt may take: a connection that is silent for longer is given up. */
  readonly attemptTimeoutMs: number;
  /** Longest pause before the second attempt, in milliseconds; it doubles with each one. */
  readonly backoffMs: number;
}

/** Enough for a server that restarts. */
export const defaultRetry: RetryOptions = {
  attempts: 5,
  attemptTimeoutMs: 30_000,
  backoffMs: 100,
};

/** Longest pause between two attempts, in milliseconds. */
const maxBackoffMs = 5000;

/**
 * Calls until it works, with pauses that grow and differ, as long as the failure looks like one that passes.
 *
 * @throws what the last attempt threw, or the signal's reason as soon as `signal` fires
 */
export async function retry<T>(
  options: RetryOptions,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce(options.attemptTimeoutMs, signal, call);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (attempt >= options.attempts || !isTransient(error)) throw error;
    }
    // Between half and all of it, so that those who failed together do not come back together.
    const longest = Math.min(options.backoffMs * 2 ** (attempt - 1), maxBackoffMs);
    await pause(longest * (0.5 + Math.random() / 2), signal);
  }
}

async function attemptOnce<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  const timer = setTimeout(() => controller.abort(new SilentServerError(timeoutMs)), timeoutMs);
  try {
    return await call(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal && { signal });
  } catch {
    signal?.throwIfAborted();
  }
}

class SilentServerError extends Error {
  override readonly name = 'SilentServerError';

  constructor(timeoutMs: number) {
    super(`S3 did not answer within ${timeoutMs} ms`);
  }
}
