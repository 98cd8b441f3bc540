import type { UploadInfo } from '../../dist/core/upload.js';
import { TusError } from '../../dist/core/errors.js';
import { BucketError, type ListedPart, type PartBucket } from './part-bucket.js';

/** An upload's record as it lies in `OBJECT.info`. */
export interface PartRecord extends Omit<UploadInfo, 'offset' | 'modifiedAt'> {
  readonly multipart: string;
  /** Numbers of parts that count no more: a part before them was lost, and parts cannot be deleted. */
  readonly skipped: readonly number[];
}

/** What is really there of an upload. */
export interface Survey {
  readonly finished: boolean;
  /** Parts from the start without a gap. */
  readonly parts: readonly ListedPart[];
  /** Numbers behind a gap: they have to be skipped before the next part is uploaded. */
  readonly lost: readonly number[];
  /** The bytes behind the last part, too few for a part. */
  readonly tail: Uint8Array;
  readonly partBytes: number;
  readonly offset: number;
  readonly modifiedAt: number;
}

const empty = new Uint8Array(0);

export const infoKey = (object: string): string => `${object}.info`;
/** An empty object for each final upload that waits for the part. */
export const awaitedKey = (id: string, finalId: string): string => `.awaited/${id}>${finalId}`;
export const tailKey = (object: string): string => `${object}.part`;

/** `OBJECT` and `MULTIPART` of `OBJECT+MULTIPART`. */
export function splitId(id: string): { object: string; multipart: string } {
  const plus = id.lastIndexOf('+');
  if (plus < 1) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  return { object: id.slice(0, plus), multipart: id.slice(plus + 1) };
}

export async function loadRecord(bucket: PartBucket, id: string): Promise<PartRecord> {
  const { object, multipart } = splitId(id);
  const stored = await bucket.getObject(infoKey(object));
  const record = stored && parseRecord(stored.bytes);
  if (record?.multipart !== multipart) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  return record;
}

/** Undefined for what the store did not write. */
export function parseRecord(bytes: Uint8Array): PartRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString());
    if (record.Type !== 'PartStore') return undefined;
    const { Type: _, ...rest } = record;
    const metadata = Object.assign(Object.create(null), rest.metadata);
    return { ...rest, size: rest.size, metadata };
  } catch {
    return undefined;
  }
}

export async function saveRecord(
  bucket: PartBucket,
  record: PartRecord,
  options: { ifAbsent?: boolean } = {},
): Promise<void> {
  const text = JSON.stringify({ Type: 'PartStore', ...record });
  await bucket.putObject(infoKey(splitId(record.id).object), Buffer.from(text), options);
}

/**
 * Looks at the tail before the parts: a writer uploads the part that covers a tail before it replaces the tail, so in
 * this order one of both is seen, and the offset never goes down.
 */
export async function survey(bucket: PartBucket, record: PartRecord): Promise<Survey> {
  const { object, multipart } = splitId(record.id);
  const tail = await bucket.getObject(tailKey(object));
  const info = await bucket.getObject(infoKey(object));
  const listed = await listParts(bucket, multipart);
  if (listed === undefined) return surveyFinished(bucket, object);

  const { parts, lost } = sortOut(listed, new Set(record.skipped));
  const partBytes = parts.reduce((sum, part) => sum + part.size, 0);
  // One that starts elsewhere is covered by a part already, or follows one that was lost.
  const tailBytes = tail?.meta['start'] === String(partBytes) ? tail.bytes : empty;
  const times = [tail, info, ...parts].map((item) => item?.modifiedAt ?? 0);
  return {
    finished: false,
    parts,
    lost,
    tail: tailBytes,
    partBytes,
    offset: partBytes + tailBytes.byteLength,
    modifiedAt: Math.max(...times),
  };
}

async function surveyFinished(bucket: PartBucket, object: string): Promise<Survey> {
  const finished = await bucket.getObject(object);
  if (finished === undefined) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  const offset = finished.bytes.byteLength;
  const { modifiedAt } = finished;
  return {
    finished: true,
    parts: [],
    lost: [],
    tail: empty,
    partBytes: offset,
    offset,
    modifiedAt,
  };
}

function sortOut(
  listed: readonly ListedPart[],
  skipped: ReadonlySet<number>,
): { parts: ListedPart[]; lost: number[] } {
  const parts: ListedPart[] = [];
  let next = 1;
  for (const part of listed.filter(({ number }) => !skipped.has(number))) {
    while (skipped.has(next)) next++;
    if (part.number !== next++) break;
    parts.push(part);
  }
  const highest = listed.at(-1)?.number ?? 0;
  const lastGood = parts.at(-1)?.number ?? 0;
  const lost: number[] = [];
  for (let number = lastGood + 1; number <= highest; number++) {
    if (!skipped.has(number)) lost.push(number);
  }
  return { parts, lost };
}

async function listParts(bucket: PartBucket, multipart: string): Promise<ListedPart[] | undefined> {
  try {
    return await bucket.listParts(multipart);
  } catch (error) {
    if (error instanceof BucketError && error.code === 'NoSuchUpload') return undefined;
    throw error;
  }
}
