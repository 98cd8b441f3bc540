import type { Readable } from 'node:stream';

const lingerMs = 1000;
/** What may still come of a request that is answered. */
export const lingerBytes = 1024 * 1024;

/** Reads what still comes of a request and throws it away: until it ends, at most a MiB and at most for a second. */
export function discardRest(source: Readable): Promise<void> {
  return new Promise((resolve) => {
    let left = lingerBytes;
    const timer = setTimeout(done, lingerMs);
    const onData = (bytes: Uint8Array): void => {
      left -= bytes.length;
      // Clients that look up only between two writes miss an answer when a write fails first. One that is not read from
      // can write no more, and has the rest of the time to look.
      if (left < 0) source.pause();
    };
    function done(): void {
      clearTimeout(timer);
      source.off('data', onData).off('end', done).off('close', done);
      source.pause();
      resolve();
    }
    source.on('data', onData).once('end', done).once('close', done).resume();
  });
}
