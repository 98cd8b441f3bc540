import type { Place } from './load-record.js';
import { newPieceKey, objectKeys, type Piece } from './object-keys.js';
import type { Tail } from './survey.js';

/** Pieces that are fetched at once. */
const fetchedAtOnce = 8;

/** A piece that is to be stored. */
export function newPiece(place: Place, about: Omit<Piece, 'key'>): Piece {
  const { pieces } = objectKeys(place.bucket.name, place.prefix, place.id);
  return { key: newPieceKey(pieces, about), ...about };
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

/** The bytes of a tail. */
export async function fetchTail(
  { bucket }: Place,
  { pieces, size }: Tail,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const target = Buffer.allocUnsafeSlow(size);
  const [first] = pieces;
  const waiting = [...pieces];
  const fetchNext = async (): Promise<void> => {
    for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
      const at = piece.start - (first?.start ?? 0);
      await fetchPiece(bucket, piece, target.subarray(at, at + piece.size), signal);
    }
  };
  await Promise.all(Array.from({ length: fetchedAtOnce }, fetchNext));
  return target;
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
