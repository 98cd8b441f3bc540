/**
 * Calls `callback` when `signal` fires, at once where it has; never where there is none. Returns what ends the waiting.
 * Not AbortSignal.any(): on Node 20 its results stay in memory for as long as their sources do.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) callback();
  else signal.addEventListener('abort', callback, { once: true });
  return () => signal.removeEventListener('abort', callback);
}
