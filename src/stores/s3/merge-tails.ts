import { listUploads } from './list-uploads.js';
import { changeRecord, type Place, unlessGone } from './load-record.js';
import type { Piece } from './object-keys.js';
import type { S3Means } from './s3-means.js';
import { type Survey, survey } from './survey.js';
import { fetchTail } from './tail.js';

/** What became of the tail of an unfinished upload. */
export interface MergedTail {
  readonly id: string;
  /** Bytes of the upload that are stored; the same before and after. */
  readonly offset: number;
  /** Bytes of `OBJECT.part`, if there was something to merge. */
  readonly merged: number | undefined;
  /** Why tusd cannot go on with the upload; undefined where it can. */
  readonly problem: string | undefined;
}

/**
 * Merges the pieces of the tail of each unfinished upload into `OBJECT.part`, where tusd looks for them. No server may be
 * running on the bucket. It can end at any moment and be done again: at every moment all bytes that are stored count, once.
 *
 * @param dryRun only tells what would be done
 */
export async function* mergeTails(
  means: Pick<S3Means, 'bucket' | 'prefix'>,
  dryRun: boolean,
): AsyncGenerator<MergedTail> {
  for await (const { id, kind } of listUploads(means, undefined)) {
    if (kind !== 'upload') continue;
    const result = await mergeTail({ ...means, id }, dryRun);
    if (result !== undefined) yield result;
  }
}

/** Undefined for an upload that is complete, or gone. */
async function mergeTail(place: Place, dryRun: boolean): Promise<MergedTail | undefined> {
  const found = await unlessGone(survey(place, undefined));
  if (found === undefined || found.isComplete) return undefined;
  const { offset } = found;
  const problem = await findProblem(place, found);
  if (problem === undefined && !dryRun) await merge(place, found);
  const merged = problem === undefined && !isMerged(found) ? found.tail.size : undefined;
  return { id: place.id, offset, problem, merged };
}

/** tusd counts what S3 lists: it numbers the next part by how many there are, and takes all of them for the upload's bytes. */
async function findProblem(
  { bucket }: Place,
  { record, offset, partsEnd }: Survey,
): Promise<string | undefined> {
  const { info, ledger, keys } = record;
  if (ledger.elsewhere !== undefined) return 'its object lies where tusd does not look for it';
  if (offset === info.size)
    return 'all its bytes are stored: a HEAD to tuskd finishes it, tusd would not';
  const parts = (await bucket.multiparts.listParts(keys, 0, undefined)) ?? [];
  if (parts.some(({ number }, index) => number !== index + 1)) {
    return 'there are gaps in the numbers of its parts, which tusd would count wrong';
  }
  if (parts.reduce((sum, { size }) => sum + size, 0) !== partsEnd) {
    return 'it has parts that count for nothing, which tusd would take for its bytes';
  }
  return undefined;
}

/** What there is of a tail, tusd would find and understand. */
function isMerged(found: Survey): boolean {
  return ownPieces(found).length === 0 && found.stalePieces.length === 0;
}

/** Pieces that count and are not tusd's tail, in order. */
function ownPieces({ record: { keys }, tail }: Survey): readonly Piece[] {
  return tail.pieces.filter(({ key }) => key !== keys.tail);
}

/**
 * First all goes that counts for nothing, so that it counts for nothing later, either. Then the whole tail is put beside its
 * pieces, which count until the first of them has gone. As long as the others are there, they are behind it, and stale.
 */
async function merge(place: Place, found: Survey): Promise<void> {
  const { record, tail, stalePieces } = found;
  await remove(place, stalePieces);
  await keepOnlyTheFence(place, found);
  const [first, ...others] = ownPieces(found);
  if (first === undefined) return;
  const bytes = Buffer.allocUnsafeSlow(tail.size);
  await fetchTail(place, tail, bytes, undefined);
  await place.bucket.put(record.keys.tail, bytes, undefined);
  await remove(place, [first]);
  await remove(place, others);
}

/**
 * The fence was in the names of the pieces. The note on an earlier tail of tusd's goes: one with the same bytes, which has the
 * same ETag, would be taken for it. Without a note, tusd's tail begins where the parts end.
 */
async function keepOnlyTheFence(place: Place, { record, fence }: Survey): Promise<void> {
  const { info, ledger } = record;
  if (ledger.tusdTail === undefined && (info.fence ?? -1) === fence) return;
  await changeRecord(place, record, fence < 0 ? undefined : fence, undefined, (current) => ({
    info: current.info,
    ledger: { ...current.ledger, tusdTail: undefined },
  }));
}

async function remove({ bucket }: Place, pieces: readonly Pick<Piece, 'key'>[]): Promise<void> {
  await bucket.delete(
    pieces.map(({ key }) => key),
    undefined,
  );
}
