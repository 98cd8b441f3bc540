import { type RetryOptions, retry } from './retry.js';
import type { S3Api } from './s3-api.js';

/** How much longer S3 may take to copy and to complete than to do anything else. */
const slowFactor = 10;

/** A connection that carries less is as good as dead: 512 KiB/s. */
const slowestBytesPerMs = 512;

export type Signal = AbortSignal | undefined;

/** An object or a part as S3 lists it. */
export interface Listed {
  readonly size: number;
  readonly etag: string;
  /** In milliseconds since 1970; S3 counts whole seconds. */
  readonly modifiedAt: number;
}

/** Calls S3 in one way: each call is tried again as long as it may help, and ends with its signal. */
export class S3Calls {
  readonly api: S3Api;
  readonly #retry: RetryOptions;

  constructor(api: S3Api, retryOptions: RetryOptions) {
    this.api = api;
    this.#retry = retryOptions;
  }

  /** @param bytes that the call moves: each takes its time, too */
  make<T>(signal: Signal, call: (signal: AbortSignal) => Promise<T>, bytes = 0): Promise<T> {
    const attemptTimeoutMs = this.#retry.attemptTimeoutMs + bytes / slowestBytesPerMs;
    return retry({ ...this.#retry, attemptTimeoutMs }, signal, call);
  }

  /** For what S3 itself may take minutes to do. */
  makeSlow<T>(signal: Signal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const attemptTimeoutMs = this.#retry.attemptTimeoutMs * slowFactor;
    return retry({ ...this.#retry, attemptTimeoutMs }, signal, call);
  }

  async makeIfThere<T>(
    isMissing: (error: unknown) => boolean,
    signal: Signal,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.make(signal, call);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

/**
 * Where the next page begins; undefined behind the last one.
 * @throws Error where there is one that cannot be asked for: a list that ends early would pass for the whole
 */
export function nextPage(
  isTruncated: boolean | undefined,
  next: string | undefined,
  last: string | undefined,
): string | undefined {
  if (isTruncated !== true) return undefined;
  if (next === last) throw new Error('S3 gives a part of a list, and does not say how to go on');
  return required(next, 'place to go on in a list');
}

export function required(value: string | undefined, what: string): string {
  if (value === undefined || value === '') throw new Error(`S3 gave no ${what}`);
  return value;
}
