import type { Body } from '../../core/body.js';

/** `body.next()`, or the signal's reason as soon as it fires: a silent client must not keep an abandoned write. */
export async function nextUnlessAborted(
  body: Body,
  signal: AbortSignal | undefined,
): Promise<Uint8Array[] | null> {
  if (signal === undefined) return body.next();
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort);
    void body
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
