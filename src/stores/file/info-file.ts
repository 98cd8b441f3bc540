import type { FinalResponse, UploadInfo } from '../../core/upload.js';

/** What is read from an info file: the upload without what the data file tells better. */
export type StoredInfo = Omit<UploadInfo, 'offset' | 'modifiedAt'>;

/**
 * The content of `ID.info`: tusd's keys to the letter, so that either server goes on where the other stopped, and what
 * tusd does not know under `Tuskd`. `Offset` stays what it was at creation, as with tusd: the truth is the data.
 */
export function serializeInfo(info: StoredInfo | UploadInfo): string {
  const { offset, modifiedAt, ...stored }: UploadInfo = { offset: 0, modifiedAt: 0, ...info };
  const { id, size, metadata, storage, isPartial, isFinal, parts, ...additions } = stored;
  return JSON.stringify({
    ID: id,
    Size: size ?? 0,
    SizeIsDeferred: size === undefined,
    Offset: 0,
    MetaData: metadata,
    IsPartial: isPartial,
    IsFinal: isFinal,
    PartialUploads: parts.length === 0 ? null : parts,
    Storage: storage,
    Tuskd: additions,
  });
}

/** @throws Error for anything that is not an info file */
export function parseInfo(text: string): StoredInfo {
  const record = asRecord(JSON.parse(text), 'the file');
  const { ID, Size, SizeIsDeferred, MetaData, IsPartial, IsFinal, PartialUploads } = record;
  if (typeof ID !== 'string') throw new Error('ID is not a string');
  if (typeof Size !== 'number' || !Number.isSafeInteger(Size) || Size < 0)
    throw new Error('Size is no size');
  return {
    id: ID,
    size: SizeIsDeferred === true ? undefined : Size,
    metadata: asStrings(MetaData ?? {}, 'MetaData'),
    storage: asStrings(record['Storage'] ?? {}, 'Storage'),
    isPartial: IsPartial === true,
    isFinal: IsFinal === true,
    parts: asStringArray(PartialUploads ?? [], 'PartialUploads'),
    ...parseAdditions(asRecord(record['Tuskd'] ?? {}, 'Tuskd')),
  };
}

type Additions = Omit<
  StoredInfo,
  'id' | 'size' | 'metadata' | 'storage' | 'isPartial' | 'isFinal' | 'parts'
>;

/** Whatever is missing or of another type is left out: every addition can be done without. */
function parseAdditions(record: Record<string, unknown>): Additions {
  const { protocol, finish, complete, limits, awaitedBy, finalResponse } = record;
  return {
    ...((protocol === 'tus-v1' || protocol === 'rufh') && { protocol }),
    ...((finish === 'pending' || finish === 'done') && { finish }),
    ...(typeof complete === 'boolean' && { complete }),
    ...pickNumbers(record),
    ...pickStrings(record),
    ...(isRecordOf(limits, 'number') && { limits }),
    ...(isStringArray(awaitedBy) && { awaitedBy }),
    ...(isFinalResponse(finalResponse) && { finalResponse }),
  };
}

function pickNumbers(record: Record<string, unknown>): Additions {
  const { createdAt, expiresAt, verifiedOffset, fence } = record;
  return {
    ...(typeof createdAt === 'number' && { createdAt }),
    ...(typeof expiresAt === 'number' && { expiresAt }),
    ...(typeof verifiedOffset === 'number' && { verifiedOffset }),
    ...(typeof fence === 'number' && { fence }),
  };
}

function pickStrings(record: Record<string, unknown>): Additions {
  const { rawMetadata, rawConcat, owner } = record;
  return {
    ...(typeof rawMetadata === 'string' && { rawMetadata }),
    ...(typeof rawConcat === 'string' && { rawConcat }),
    ...(typeof owner === 'string' && { owner }),
  };
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
