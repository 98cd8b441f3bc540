import { TusError } from '../../core/errors.js';
import type { UploadInfo } from '../../core/upload.js';
import { type LoadedRecord, loadRecord, type Place } from './load-record.js';
import { type ObjectKeys, objectKeys, parsePieceKey, type Piece } from './object-keys.js';
import type { StoredPart } from './multipart-uploads.js';
import type { S3Bucket } from './s3-bucket.js';
import type { Listed } from './s3-calls.js';
import { s3ErrorStatus } from './s3-errors.js';
import { type PartLedger, recordedEnd } from './upload-record.js';

/** The bytes behind the last part, as pieces that follow each other without a gap. */
export interface Tail {
  readonly pieces: readonly Piece[];
  /** Bytes of all pieces. */
  readonly size: number;
}

/** What is really there of an upload. */
export interface Survey {
  readonly record: LoadedRecord;
  readonly isComplete: boolean;
  /** Bytes stored without a gap. */
  readonly offset: number;
  /** Where the last part ends and the tail begins. */
  readonly partsEnd: number;
  /** Number of the last part before {@link partsEnd}; 0 where there is none. */
  readonly lastNumber: number;
  /** The highest number that any part has. */
  readonly highestNumber: number;
  readonly tail: Tail;
  /** The lowest fence with which a piece behind the parts counts; -1 where all do. */
  readonly tailFence: number;
  /** Pieces that count for nothing: a part has their bytes, or another piece, or nobody has said that they count. */
  readonly stalePieces: readonly Piece[];
  /** tusd's tail, whether it counts or not. */
  readonly tusdTail: Listed | undefined;
  /** The highest fence that has written anything; -1 where none has. */
  readonly fence: number;
  /** In milliseconds since 1970. */
  readonly modifiedAt: number;
}

/**
 * Looks at what there is of an upload: record and tail at once, then the parts. A writer stores the part that has a tail's bytes
 * before it removes the tail, so one of both is seen, and the offset never goes down.
 *
 * @param loaded the record, where it has just been read
 * @throws TusError ERR_UPLOAD_NOT_FOUND where there is no record, or neither the multipart upload nor the whole object
 */
export async function survey(
  place: Place,
  signal: AbortSignal | undefined,
  loaded?: LoadedRecord,
): Promise<Survey> {
  for (let known = loaded; ; known = undefined) {
    const found = await surveyOnce(place, signal, known);
    if (!dependsOnTime(found)) return found;
    const now = await place.bucket.head(place.bucket.name, found.record.keys.info, signal);
    if (now === undefined || now.etag === found.record.etag) return found;
  }
}

/**
 * Whether it matters that the record was not read at the same time as the rest. Without a lock, a writer may have come in
 * between. It notes where tusd's tail begins, which alone tells whether that counts, and of parts that the record does not
 * tell of, whether they lie behind a gap, or count at all.
 */
function dependsOnTime({ record: { ledger }, tusdTail, highestNumber }: Survey): boolean {
  const mayBeCovered = tusdTail !== undefined && ledger.tusdTail === undefined;
  return mayBeCovered || highestNumber > recordedEnd(ledger).number;
}

async function surveyOnce(
  place: Place,
  signal: AbortSignal | undefined,
  loaded: LoadedRecord | undefined,
): Promise<Survey> {
  const { bucket, prefix, id } = place;
  if (loaded?.ledger.state === 'complete') return surveyComplete(loaded, loaded.modifiedAt);
  const own = objectKeys(bucket.name, prefix, id);
  const [record, pieces, tusdTail] = await Promise.all([
    loaded ?? loadRecord(place, signal),
    listPieces(bucket, own, signal),
    bucket.head(bucket.name, own.tail, signal),
  ]);
  const { info, ledger, keys } = record;
  if (ledger.state === 'complete') return surveyComplete(record, record.modifiedAt);
  const done = recordedEnd(ledger);
  const listed = await bucket.multiparts.listParts(keys, done.number, signal);
  if (listed === undefined) {
    const object = await headWhole(bucket, keys, info, signal);
    const complete = surveyComplete(record, Math.max(record.modifiedAt, object.modifiedAt));
    // Whoever completed it may not have lived to remove them.
    return { ...complete, stalePieces: pieces, tusdTail };
  }
  const parts = ledger.isProvisional ? [] : withoutGap(done, merge(ledger.newest, listed));
  const partsEnd = parts.reduce((sum, { size }) => sum + size, done.offset);
  // The first part of a session takes in the whole tail: what lies behind its parts came later.
  const tailFence = (parts.length > 0 ? ledger.writerFence : undefined) ?? done.fence ?? -1;
  const candidates: Piece[] = [...pieces];
  if (tusdTail !== undefined) {
    const start = startOfTusdTail(ledger, tusdTail, partsEnd);
    // tusd knows no fences: whatever it has put comes after what was noted.
    const { size } = tusdTail;
    candidates.push({ key: keys.tail, start, size, fence: tailFence, time: 0, isDraft: false });
  }
  const tail = chain(candidates, partsEnd, tailFence);
  const times = [record, tusdTail, ...listed, ...pieces].map((item) => item?.modifiedAt ?? 0);
  return {
    record,
    isComplete: false,
    offset: partsEnd + tail.size,
    partsEnd,
    lastNumber: parts.at(-1)?.number ?? done.number,
    highestNumber: [...ledger.newest, ...listed].reduce(
      (highest, { number }) => Math.max(highest, number),
      done.number,
    ),
    tail,
    tailFence,
    stalePieces: candidates.filter((piece) => !tail.pieces.includes(piece)),
    tusdTail,
    fence: pieces.reduce((highest, piece) => Math.max(highest, piece.fence), info.fence ?? -1),
    modifiedAt: times.reduce((latest, time) => Math.max(latest, time)),
  };
}

/** All parts of the upload that count, in order, with nothing left out. */
export async function listAllParts(
  bucket: S3Bucket,
  { keys, ledger }: LoadedRecord,
  signal: AbortSignal | undefined,
): Promise<StoredPart[] | undefined> {
  const listed = await bucket.multiparts.listParts(keys, 0, signal);
  if (listed === undefined) return undefined;
  const known = merge(ledger.newest, listed);
  const all: StoredPart[] = [];
  for (const [index, run] of ledger.runs.entries()) {
    const end = ledger.runs[index + 1]?.start ?? Infinity;
    let offset = run.start;
    for (const part of withoutGap({ number: run.first - 1 }, known)) {
      if (offset >= end) break;
      all.push(part);
      offset += part.size;
    }
  }
  return all;
}

/** Our own notes win: S3 may be late to list a part, and to list that it was overwritten. */
function merge(own: readonly StoredPart[], listed: readonly StoredPart[]): StoredPart[] {
  const byNumber = new Map(listed.map((part) => [part.number, part]));
  for (const part of own) byNumber.set(part.number, part);
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

/** Those that follow `after` without leaving out a number. */
function withoutGap(
  after: { readonly number: number },
  parts: readonly StoredPart[],
): StoredPart[] {
  const following: StoredPart[] = [];
  let next = after.number + 1;
  for (const part of parts) {
    if (part.number < next) continue;
    if (part.number > next) break;
    following.push(part);
    next++;
  }
  return following;
}

/**
 * The pieces that continue `start` without a gap, stored under locks with rising fences. Where two begin at the same byte, the
 * later lock's and the later one wins.
 */
function chain(pieces: readonly Piece[], start: number, lowestFence: number): Tail {
  const chosen: Piece[] = [];
  let [end, fence] = [start, lowestFence];
  for (;;) {
    const next = pieces
      .filter((piece) => !piece.isDraft && piece.start === end)
      .filter((piece) => piece.size > 0 && piece.fence >= fence)
      .sort((a, b) => b.fence - a.fence || b.time - a.time)[0];
    if (next === undefined) return { pieces: chosen, size: end - start };
    chosen.push(next);
    end += next.size;
    fence = next.fence;
  }
}

/** tusd's tail begins where the parts end, unless it was there already when a writer of ours began: then where they ended. */
export function startOfTusdTail(
  { tusdTail }: PartLedger,
  { etag }: Listed,
  partsEnd: number,
): number {
  return tusdTail?.etag === etag ? tusdTail.start : partsEnd;
}

async function listPieces(
  bucket: S3Bucket,
  keys: ObjectKeys,
  signal: AbortSignal | undefined,
): Promise<(Piece & Listed)[]> {
  const pieces: (Piece & Listed)[] = [];
  for await (const object of bucket.list(keys.folder, signal)) {
    const piece = parsePieceKey(object.key, keys.folder);
    if (piece !== undefined) pieces.push({ ...object, ...piece });
  }
  return pieces;
}

/**
 * The multipart upload has gone. That is no proof of completion: a rule of the bucket may have aborted it, and only an object
 * of the right size says that it was completed, by tusd or by a request that did not live to note it.
 */
async function headWhole(
  bucket: S3Bucket,
  keys: ObjectKeys,
  info: UploadInfo,
  signal: AbortSignal | undefined,
): Promise<Listed> {
  const object = await bucket.head(keys.bucket, keys.data, signal).catch((error: unknown) => {
    // Without the permission to list, AWS says of a missing object that it is forbidden. The record could be read a moment ago.
    if (s3ErrorStatus(error) === 403) return undefined;
    throw error;
  });
  if (object === undefined || object.size !== info.size) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  return object;
}

function surveyComplete(record: LoadedRecord, modifiedAt: number): Survey {
  const offset = record.info.size ?? 0;
  return { ...surveyNew(record), isComplete: true, offset, partsEnd: offset, modifiedAt };
}

/** What there is of an upload that has just been made. */
export function surveyNew(record: LoadedRecord): Survey {
  return {
    record,
    isComplete: false,
    offset: 0,
    partsEnd: 0,
    lastNumber: 0,
    highestNumber: 0,
    tail: { pieces: [], size: 0 },
    tailFence: -1,
    stalePieces: [],
    tusdTail: undefined,
    fence: record.info.fence ?? -1,
    modifiedAt: record.modifiedAt,
  };
}
