import type { Place } from './load-record.js';
import { newPieceKey, objectKeys, type Piece } from './object-keys.js';
import type { Tail } from './survey.js';

/** Pieces that are fetched at once. */
const fetchedAtOnce = 8;

/** Stores `bytes` as a piece of the tail. From then on they count. */
export async function putPiece(
  place: Place,
  start: number,
  bytes: Uint8Array,
  fence: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Piece> {
  const { pieces } = objectKeys(place.bucket.name, place.prefix, place.id);
  const piece = { start, size: bytes.byteLength, fence: fence ?? -1, time: Date.now() };
  const key = newPieceKey(pieces, piece);
  // A piece that outlives its upload still tells whose it was.
  await place.bucket.put(key, bytes, signal, { metadata: { upload: place.id } });
  return { key, ...piece };
}

/** Fills the beginning of `target` with the bytes of a tail. */
export async function fetchTail(
  { bucket }: Place,
  { pieces }: Tail,
  target: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [first] = pieces;
  const waiting = [...pieces];
  const fetchNext = async (): Promise<void> => {
    for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
      const at = piece.start - (first?.start ?? 0);
      await fetchPiece(bucket, piece, target.subarray(at, at + piece.size), signal);
    }
  };
  await Promise.all(Array.from({ length: fetchedAtOnce }, fetchNext));
}

async function fetchPiece(
  bucket: Place['bucket'],
  { key, size }: Piece,
  target: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = await bucket.get(key, signal);
  if (found?.content.byteLength !== size) {
    throw new Error(`${key} has ${found?.content.byteLength} of the ${size} bytes it must have`);
  }
  target.set(found.content);
}
