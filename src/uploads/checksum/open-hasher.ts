import type { ChecksumAlgorithm } from '../../core/checksum.js';
import { HashThread } from './hash-thread.js';
import { type Hasher, LocalHasher } from './hasher.js';

/** Bytes up to which hashing takes less than handing over does. */
const smallBody = 256 * 1024;

/** The one thread of this process, from the first body that needs it; it resolves with undefined where there can be none. */
let running: Promise<HashThread | undefined> | undefined;

/**
 * A hasher for one body of `length` bytes: in this thread for few, aside for many or an unknown number, so that no other
 * request has to wait for them. To be closed.
 *
 * @param onUnavailable told, once in a process, why nothing can be hashed aside: then it is all done here
 */
export async function openHasher(
  algorithms: readonly ChecksumAlgorithm[],
  length: number | undefined,
  onUnavailable: (error: unknown) => void,
): Promise<Hasher> {
  if (length !== undefined && length <= smallBody) return new LocalHasher(algorithms);
  running ??= startThread(onUnavailable);
  const thread = await running;
  return thread?.open(algorithms) ?? new LocalHasher(algorithms);
}

function startThread(onUnavailable: (error: unknown) => void): Promise<HashThread | undefined> {
  let isReady = false;
  const starting = HashThread.start(() => {
    // One that did not even start would not the next time.
    if (isReady && running === starting) running = undefined;
  }).then(
    (thread) => {
      isReady = true;
      return thread;
    },
    (error: unknown) => {
      onUnavailable(error);
      return undefined;
    },
  );
  return starting;
}
