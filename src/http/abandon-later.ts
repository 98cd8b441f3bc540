import { setTimeout } from 'node:timers';

/** Work that was begun goes on for `ms` after the client has left, so that it need not be done again. */
export function abandonLater(disconnected: AbortSignal, ms: number): AbortSignal {
  const abandoned = new AbortController();
  const later = (): void => {
    setTimeout(() => abandoned.abort(), ms).unref();
  };
  if (disconnected.aborted) later();
  else disconnected.addEventListener('abort', later, { once: true });
  return abandoned.signal;
}
