import { setTimeout as sleep } from 'node:timers/promises';
import { TusError } from '../../core/errors.js';
import { Stopwatch } from './stopwatch.js';

/** How long an answer may take before Redis counts as away, in milliseconds. */
export const answerMs = 1000;
const firstPauseMs = 50;
const longestPauseMs = 1000;

/** What will be refused again however often it is tried: someone has to change the settings. */
const hopeless =
  /\b(?:NOPERM|NOAUTH|WRONGPASS|WRONGTYPE|CROSSSLOT)\b|user executing the script can't/;

/**
 * Tries until Redis answers: a restart, or a failover, is over in seconds. One command at a time, so that a client which
 * queues commands while it has no connection does not pile them up.
 *
 * @throws the signal's reason; TusError ERR_LOCK_UNAVAILABLE where it fired because Redis did not answer, or where Redis
 * refuses to do it. An attempt that was under way may still be carried out.
 */
export async function reach<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let failure: unknown;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const waiting = new Stopwatch();
    try {
      return await unlessAborted(attempt(), signal);
    } catch (error) {
      if (error instanceof Abandoned) {
        if (waiting.elapsedMs >= answerMs) failure ??= new Error('Redis does not answer');
        throw failure === undefined ? signal.reason : unavailable(failure);
      }
      if (error instanceof Error && hopeless.test(error.message)) throw unavailable(error);
      failure = error;
    }
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {
      throw unavailable(failure);
    });
  }
}

function unavailable(cause: unknown): TusError {
  return new TusError('ERR_LOCK_UNAVAILABLE', { headers: { 'Retry-After': '1' }, cause });
}

/** The signal fired first. */
class Abandoned extends Error {}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abandon = (): void => reject(new Abandoned());
    if (signal.aborted) abandon();
    else signal.addEventListener('abort', abandon, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abandon));
  });
}
