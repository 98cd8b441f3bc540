import { ChunkWriter, type ChunkWriterOptions } from './chunk-writer.js';
import { changeRecord, type LoadedRecord, type Place } from './load-record.js';
import { PartSession } from './part-session.js';
import type { StoredPart } from './multipart-uploads.js';
import type { PartLedger } from './upload-record.js';
import { listAllParts, type Survey } from './survey.js';

/**
 * Makes an object out of an upload whose bytes are all stored. Each step can be done again: a step whose answer was lost, or
 * after which the process died, is recognized by what it has left.
 *
 * @returns what there is of the upload now
 */
export async function completeUpload(
  place: Place,
  found: Survey,
  options: ChunkWriterOptions,
): Promise<Survey> {
  if (found.record.ledger.state === 'complete') return found;
  const { record, objectEtag } = found.isComplete
    ? { record: found.record, objectEtag: undefined }
    : await completeParts(place, found, options);
  // Before it is noted: nobody looks for pieces afterwards.
  await removeTail(place, found, options.signal);
  const complete = await noteState(place, record, options, { state: 'complete', objectEtag });
  const { size = 0 } = complete.info;
  return { ...found, record: complete, isComplete: true, offset: size, partsEnd: size };
}

async function completeParts(
  place: Place,
  found: Survey,
  options: ChunkWriterOptions,
): Promise<{ record: LoadedRecord; objectEtag: string | undefined }> {
  const { bucket, id } = place;
  const { signal } = options;
  const { size } = found.record.info;
  if (found.offset !== size) throw new Error(`upload ${id} has ${found.offset} of ${size} bytes`);
  const record = await withoutTail(place, await withAPart(place, found, options), options);
  const parts = await requireAllParts(place, record, signal);
  const isDone =
    parts !== undefined && (await bucket.multiparts.complete(record.keys, parts, signal));
  const object = await bucket.head(record.keys.bucket, record.keys.data, signal);
  // An answer of success is not believed without the object, and a multipart upload that has gone may have become it.
  if (object?.size === size) {
    return { record, objectEtag: record.ledger.elsewhere && object?.etag };
  }
  throw new Error(
    isDone
      ? `S3 says that upload ${id} is complete, but its object has ${object?.size} of ${size} bytes`
      : `the multipart upload of ${id} has gone, and there is no object in its place`,
  );
}

/** S3 makes no object without a part, not even an empty one. */
async function withAPart(
  place: Place,
  found: Survey,
  options: ChunkWriterOptions,
): Promise<Survey> {
  const { first } = found.record.ledger.runs.at(-1) ?? { first: 1 };
  if (found.offset > 0 || found.lastNumber >= first) return found;
  const session = await PartSession.open(options, found);
  const { keys } = session.record;
  const empty = new Uint8Array(0);
  const part = await place.bucket.multiparts.putPart(
    keys,
    session.nextNumber(),
    empty,
    options.signal,
  );
  await session.close({ stored: [part], hasGap: false, isFull: true }, options.signal);
  return { ...found, record: session.record, lastNumber: part.number, highestNumber: part.number };
}

/** The bytes behind the last part become one, and the record says that nothing more is to come. */
async function withoutTail(
  place: Place,
  found: Survey,
  options: ChunkWriterOptions,
): Promise<LoadedRecord> {
  if (found.tail.size > 0) {
    const writer = new ChunkWriter(options, found);
    try {
      await writer.settle();
      return (await writer.commit(options.signal)).record;
    } catch (error) {
      await writer.giveUp().catch(() => undefined);
      throw error;
    }
  }
  if (found.record.ledger.isProvisional) {
    // Nobody has said that its parts count: they must not become part of the object.
    const session = await PartSession.open(options, found);
    await session.close({ stored: [], hasGap: false, isFull: true }, options.signal);
    return session.record;
  }
  if (found.record.ledger.state === 'completing') return found.record;
  return noteState(place, found.record, options, { state: 'completing' });
}

/** Undefined where the multipart upload has gone. */
async function requireAllParts(
  place: Place,
  record: LoadedRecord,
  signal: AbortSignal | undefined,
): Promise<readonly StoredPart[] | undefined> {
  const { ledger, info } = record;
  const isAll = (parts: readonly StoredPart[]): boolean =>
    parts.reduce((sum, { size }) => sum + size, 0) === info.size;
  // Of an upload of few parts, all are noted.
  const [run, ...later] = ledger.runs;
  if (later.length === 0 && ledger.newest[0]?.number === run?.first && isAll(ledger.newest)) {
    return ledger.newest;
  }
  const parts = await listAllParts(place.bucket, record, signal);
  if (parts === undefined || isAll(parts)) return parts;
  throw new Error(`S3 does not list all parts of upload ${place.id} (any more, or not yet)`);
}

function noteState(
  place: Place,
  record: LoadedRecord,
  { fence, signal }: ChunkWriterOptions,
  change: Pick<PartLedger, 'state'> & Partial<Pick<PartLedger, 'objectEtag'>>,
): Promise<LoadedRecord> {
  return changeRecord(place, record, fence, signal, ({ info, ledger }) => ({
    info,
    ledger: { ...ledger, ...change },
  }));
}

/** What no part needs any more. */
async function removeTail(
  { bucket }: Place,
  { record: { ledger, keys }, tail, stalePieces, tusdTail }: Survey,
  signal: AbortSignal | undefined,
): Promise<void> {
  const left = new Set([...tail.pieces, ...stalePieces].map(({ key }) => key));
  if ((tusdTail ?? ledger.tusdTail) !== undefined) left.add(keys.tail);
  if (left.size > 0) await bucket.delete([...left], signal);
}
