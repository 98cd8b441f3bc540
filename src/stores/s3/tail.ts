import type { Place } from './load-record.js';
import { newPieceKey, objectKeys, type Piece } from './object-keys.js';
import type { Tail } from './survey.js';

/** Pieces that are fetched at once. */
const fetchedAtOnce = 8;

/** A piece that is to be stored. */
export function newPiece(place: Place, about: Omit<Piece, 'key'>): Piece {
  const { folder } = objectKeys(place.bucket.name, place.prefix, place.id);
  return { key: newPieceKey(folder, about), ...about };
}

/** Stores a piece of the tail. From then on it counts. */
export async function putPiece(
  { bucket, id }: Place,
  { key }: Piece,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  // One that outlives its upload still tells whose it was.
  await bucket.put(key, bytes, signal, { metadata: { upload: id } });
}

/** Fills `target` with the bytes of a tail. Nobody writes to it any more once this has resolved or rejected. */
export async function fetchTail(
  { bucket }: Place,
  { pieces }: Tail,
  target: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const begin = pieces[0]?.start ?? 0;
  const waiting = [...pieces];
  const fetchNext = async (): Promise<void> => {
    for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
      const { key, start, size } = piece;
      const at = { bucket: bucket.name, key, start: 0, end: size };
      await bucket.readInto(target.subarray(start - begin), at, signal);
    }
  };
  const fetching = Array.from({ length: fetchedAtOnce }, fetchNext);
  try {
    await Promise.all(fetching);
  } catch (error) {
    waiting.length = 0;
    await Promise.allSettled(fetching);
    throw error;
  }
}
