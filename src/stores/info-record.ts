import type { FinalResponse, UploadInfo, WholeUploadInfo } from '../core/upload.js';

/** What tusd does not know. */
type Addition = Exclude<
  keyof UploadInfo,
  | 'id'
  | 'size'
  | 'offset'
  | 'metadata'
  | 'storage'
  | 'isPartial'
  | 'isFinal'
  | 'parts'
  | 'modifiedAt'
>;

/**
 * The content of the info file or object: tusd's keys to the letter, so that either server goes on where the other stopped,
 * and what tusd does not know under `Tuskd`. `Offset` stays what it was at creation, as with tusd: the truth is the data.
 *
 * @param own what the store itself has to remember, under `Tuskd.store`
 */
export function serializeInfo(info: UploadInfo, own?: object): string {
  return JSON.stringify({
    ID: info.id,
    Size: info.size ?? 0,
    SizeIsDeferred: info.size === undefined,
    Offset: 0,
    MetaData: info.metadata,
    IsPartial: info.isPartial,
    IsFinal: info.isFinal,
    PartialUploads: info.parts.length === 0 ? null : info.parts,
    Storage: info.storage,
    // What is undefined is left out.
    Tuskd: {
      protocol: info.protocol,
      createdAt: info.createdAt,
      rawMetadata: info.rawMetadata,
      rawConcat: info.rawConcat,
      expiresAt: info.expiresAt,
      expiresAfterMs: info.expiresAfterMs,
      owner: info.owner,
      limits: info.limits,
      complete: info.complete,
      finish: info.finish,
      fence: info.fence,
      finalResponse: info.finalResponse,
      store: own,
    } satisfies Record<Addition | 'store', unknown>,
  });
}

/** What an info file or object says. */
export interface InfoRecord {
  /** `offset` and `modifiedAt` are 0: the data tells. */
  readonly info: WholeUploadInfo;
  /** What the store put under `Tuskd.store`, as it was read. */
  readonly own: unknown;
  /** Without what tusd does not know: tusd made the upload, or rewrote its record. */
  readonly isTusds: boolean;
}

/** @throws Error for anything that is not the content of an info file */
export function parseInfoRecord(text: string): InfoRecord {
  const record = asRecord(JSON.parse(text), 'the file');
  const additions = asRecord(record['Tuskd'] ?? {}, 'Tuskd');
  return {
    info: infoOf(record, additions),
    own: additions['store'],
    isTusds: record['Tuskd'] === undefined,
  };
}

function infoOf(
  record: Record<string, unknown>,
  additions: Record<string, unknown>,
): WholeUploadInfo {
  const { ID, Size, SizeIsDeferred, MetaData, IsPartial, IsFinal, PartialUploads } = record;
  if (typeof ID !== 'string') throw new Error('ID is not a string');
  if (typeof Size !== 'number' || !Number.isSafeInteger(Size) || Size < 0)
    throw new Error('Size is no size');
  const { protocol, finish, complete, limits, finalResponse } = additions;
  return {
    id: ID,
    size: SizeIsDeferred === true ? undefined : Size,
    offset: 0,
    metadata: asStrings(MetaData ?? {}, 'MetaData'),
    storage: asStrings(record['Storage'] ?? {}, 'Storage'),
    isPartial: IsPartial === true,
    isFinal: IsFinal === true,
    parts: asStringArray(PartialUploads ?? [], 'PartialUploads'),
    modifiedAt: 0,
    // Whatever is missing or of another type counts as not there: every addition can be done without.
    protocol: protocol === 'tus-v1' || protocol === 'rufh' ? protocol : undefined,
    createdAt: optionalNumber(additions['createdAt']),
    rawMetadata: optionalString(additions['rawMetadata']),
    rawConcat: optionalString(additions['rawConcat']),
    expiresAt: optionalNumber(additions['expiresAt']),
    expiresAfterMs: optionalNumber(additions['expiresAfterMs']),
    owner: optionalString(additions['owner']),
    limits: isRecordOf(limits, 'number') ? limits : undefined,
    complete: typeof complete === 'boolean' ? complete : undefined,
    finish: finish === 'pending' || finish === 'done' ? finish : undefined,
    fence: optionalNumber(additions['fence']),
    finalResponse: isFinalResponse(finalResponse) ? finalResponse : undefined,
  };
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function optionalString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isFinalResponse(value: unknown): value is FinalResponse {
  return (
    isRecord(value) &&
    typeof value['status'] === 'number' &&
    typeof value['body'] === 'string' &&
    isRecordOf(value['headers'], 'string')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRecordOf(value: unknown, type: 'string'): value is Record<string, string>;
function isRecordOf(value: unknown, type: 'number'): value is Record<string, number>;
function isRecordOf(value: unknown, type: string): boolean {
  return isRecord(value) && Object.values(value).every((item) => typeof item === type);
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function asRecord(value: unknown, name: string): Record<string, unknown> {
  if (!isRecord(value)) throw new Error(`${name} is not an object`);
  return value;
}

function asStrings(value: unknown, name: string): Record<string, string> {
  if (!isRecordOf(value, 'string')) throw new Error(`${name} is not an object of strings`);
  return Object.assign(Object.create(null), value);
}

function asStringArray(value: unknown, name: string): string[] {
  if (!isStringArray(value)) throw new Error(`${name} is not an array of strings`);
  return value;
}
