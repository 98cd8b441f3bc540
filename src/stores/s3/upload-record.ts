import type { UploadInfo } from '../../core/upload.js';
import { type InfoRecord, parseInfoRecord, serializeInfo } from '../info-record.js';
import type { StoredPart } from './multipart-uploads.js';

/**
 * Parts that follow each other without a gap, in numbers and in bytes. A new run begins where a part was lost or a writer
 * did not say that it was done: its numbers lie beyond everything that an earlier writer may still put.
 */
export interface Run {
  /** Number of its first part. */
  readonly first: number;
  /** Offset of its first byte. The run before it ends here, whatever else S3 has under its numbers. */
  readonly start: number;
}

/** What the store remembers of an upload beside what tusd does: under `Tuskd.store` in the info object. */
export interface PartLedger {
  /** `completing` from before CompleteMultipartUpload is called; `complete` once the object was seen. */
  readonly state: 'receiving' | 'completing' | 'complete';
  /** At least one, ascending. */
  readonly runs: readonly Run[];
  /**
   * Set while a writer puts parts: how many it may have on their way at once. Where it is still set afterwards, the writer did
   * not come to its end.
   */
  readonly writer: number | undefined;
  /** None of that writer's parts counts before it says so. */
  readonly isProvisional: true | undefined;
  /** The fence of that writer's lock: behind parts of his, only pieces with this one or a later one count. */
  readonly writerFence: number | undefined;
  /**
   * The last part of the last run when its writer was done, and where it ends: everything before is known to be stored. Pieces
   * behind it count only if a lock with this fence or a later one has stored them.
   */
  readonly done:
    | { readonly number: number; readonly offset: number; readonly fence?: number | undefined }
    | undefined;
  /** The newest parts as they were stored: S3 may be late to list them. */
  readonly newest: readonly StoredPart[];
  /** tusd's tail when a writer last began, and where its bytes belong. */
  readonly tusdTail: { readonly etag: string; readonly start: number } | undefined;
  /** Bytes of each part but the last, where they must be equal. */
  readonly partBytes: number | undefined;
  /** Where the data lies, if not where tusd would look for it. */
  readonly elsewhere: { readonly bucket: string; readonly key: string } | undefined;
  /** ETag of the object, once it is complete, where another upload may be given the same key. */
  readonly objectEtag: string | undefined;
  /** Changes with every write: tells one's own write from another's when the answer to it was lost. */
  readonly revision: string;
}

/** The content of an info object. */
export interface UploadRecord {
  /** Its offset and time say nothing. */
  readonly info: UploadInfo;
  readonly ledger: PartLedger;
  /** Written by tusd, which remembers nothing of ours. */
  readonly isTusds: boolean;
}

/** `runs` with one that begins now: those that lie behind its start count no more, and neither do empty ones. */
export function withRun(runs: readonly Run[], run: Run): readonly Run[] {
  return [...runs.filter(({ start }) => start < run.start), run];
}

/** The last part, and the bytes up to its end, that the record alone tells of. */
export function recordedEnd({ done, runs }: PartLedger): NonNullable<PartLedger['done']> {
  const run = runs.at(-1) ?? { first: 1, start: 0 };
  return done ?? { number: run.first - 1, offset: run.start };
}

/** No record of ours is larger: headers have a MiB at most. Somebody else's object with such a name may be. */
export const maxRecordBytes = 8 * 1024 * 1024;

export const emptyLedger: PartLedger = {
  state: 'receiving',
  runs: [{ first: 1, start: 0 }],
  writer: undefined,
  isProvisional: undefined,
  writerFence: undefined,
  done: undefined,
  newest: [],
  tusdTail: undefined,
  partBytes: undefined,
  elsewhere: undefined,
  objectEtag: undefined,
  revision: '',
};

export function serializeRecord({ info, ledger }: Omit<UploadRecord, 'isTusds'>): string {
  return serializeInfo(info, ledger);
}

/** @throws Error for what is no info object */
export function parseRecord(text: string): UploadRecord {
  const { info, own, isTusds }: InfoRecord = parseInfoRecord(text);
  const ledger = own === undefined ? emptyLedger : own;
  // Unlike tusd's, a record of ours that cannot be understood must not be taken for an empty one: bytes would be lost.
  if (!isLedger(ledger)) throw new Error('Tuskd.store is not what this version writes');
  // tusd leaves no word on it, but its uploads, too, are to be completed.
  return { info: isTusds ? { ...info, finish: 'pending' } : info, ledger, isTusds };
}

export function newRevision(): string {
  return crypto.randomUUID().slice(0, 8);
}

function isLedger(value: unknown): value is PartLedger {
  return (
    isObject(value) &&
    ['receiving', 'completing', 'complete'].includes(String(value['state'])) &&
    isOptionalNumber(value['writer']) &&
    (value['isProvisional'] === undefined || value['isProvisional'] === true) &&
    isOptionalNumber(value['writerFence']) &&
    isOptionalNumber(value['partBytes']) &&
    isListOf(value['runs'], ['first', 'start']) &&
    isListOf(value['newest'], ['number', 'size']) &&
    (value['done'] === undefined || isNumbers(value['done'], ['number', 'offset'])) &&
    (value['tusdTail'] === undefined || isNumbers(value['tusdTail'], ['start'])) &&
    (value['elsewhere'] === undefined || isAddress(value['elsewhere'])) &&
    (value['objectEtag'] === undefined || typeof value['objectEtag'] === 'string') &&
    typeof value['revision'] === 'string'
  );
}

function isOptionalNumber(value: unknown): boolean {
  return value === undefined || Number.isSafeInteger(value);
}

function isAddress(value: unknown): boolean {
  return isObject(value) && typeof value['bucket'] === 'string' && typeof value['key'] === 'string';
}

function isListOf(value: unknown, keys: readonly string[]): boolean {
  return Array.isArray(value) && value.every((item) => isNumbers(item, keys));
}

function isNumbers(value: unknown, keys: readonly string[]): boolean {
  return isObject(value) && keys.every((key) => Number.isSafeInteger(value[key]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
