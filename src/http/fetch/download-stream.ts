import type { Readable } from 'node:stream';

/**
 * The bytes of `source` for a client that takes them: read one piece ahead of it at most. `source` is destroyed when
 * the client cancels or has `disconnected`, or when it takes nothing for `idleTimeoutMs`: its descriptor is not to wait
 * for it.
 */
export function downloadStream(
  source: Readable,
  disconnected: AbortSignal,
  idleTimeoutMs: number,
): ReadableStream<Uint8Array> {
  // The iterator tells of it, too; without a listener, it would end the process.
  source.on('error', () => undefined);
  const pieces: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let idleTimer: NodeJS.Timeout | undefined;
  const settle = (): void => {
    clearTimeout(idleTimer);
    disconnected.removeEventListener('abort', giveUp);
    source.destroy();
  };
  function giveUp(): void {
    settle();
    controller.error(new Error('the client takes no more'));
  }
  return new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
      if (disconnected.aborted) giveUp();
      else disconnected.addEventListener('abort', giveUp, { once: true });
    },
    async pull() {
      clearTimeout(idleTimer);
      try {
        const { done, value } = await pieces.next();
        if (done === true) {
          settle();
          controller.close();
        } else {
          controller.enqueue(value);
          idleTimer = setTimeout(giveUp, idleTimeoutMs);
        }
      } catch (error) {
        settle();
        throw error;
      }
    },
    cancel: settle,
  });
}
