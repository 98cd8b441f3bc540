import { TusError } from '../core/errors.js';

/**
 * Runs something that waits. Its signal fires when `parent` does (with ERR_CONNECTION_RESET as reason) or after
 * `timeoutMs` (with `timeoutError()`), so that whatever throws the signal's reason throws an error with an answer.
 */
export async function withDeadline<T>(
  parent: AbortSignal,
  timeoutMs: number,
  timeoutError: () => TusError,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abandon = (): void => controller.abort(new TusError('ERR_CONNECTION_RESET'));
  const timer = setTimeout(() => controller.abort(timeoutError()), timeoutMs);
  // Not AbortSignal.any(): on Node 20 its results stay in memory for as long as the parent does.
  if (parent.aborted) abandon();
  else parent.addEventListener('abort', abandon, { once: true });
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    parent.removeEventListener('abort', abandon);
  }
}
