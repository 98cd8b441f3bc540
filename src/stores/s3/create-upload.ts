import { TusError } from '../../core/errors.js';
import { newUploadInfo, type UploadDraft } from '../../core/upload.js';
import { isUploadId, newUploadId } from '../../core/upload-id.js';
import { loadRecord, type Place } from './load-record.js';
import { infoKey, type ObjectKeys, objectKeys } from './object-keys.js';
import { objectMetadata } from './object-metadata.js';
import { partBytesAt } from './part-size.js';
import type { Signal } from './s3-calls.js';
import { asTusError, isPreconditionFailed, s3ErrorCode } from './s3-errors.js';
import type { S3Means } from './s3-means.js';
import { type Survey, surveyNew } from './survey.js';
import { emptyLedger, newRevision, serializeRecord } from './upload-record.js';

/**
 * Says where an upload's object is to lie, if not in the store's bucket under its ID. The draft has an ID: the part of the
 * upload's ID before the `+`.
 */
export type PlaceObject = (draft: UploadDraft) => {
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
};

/** S3 and those who speak like it allow no longer one. */
const maxKeyBytes = 1024;

/**
 * Makes a multipart upload and its record.
 * @throws TusError ERR_UPLOAD_EXISTS, ERR_INVALID_UPLOAD_ID, ERR_MAX_SIZE_EXCEEDED
 */
export async function createUpload(
  means: S3Means,
  placeObject: PlaceObject | undefined,
  draft: UploadDraft,
  signal: Signal,
): Promise<Survey> {
  const { bucket, prefix, wishedPartBytes } = means;
  const { profile } = bucket;
  const object = draft.id ?? newUploadId();
  if (!isUploadId(object) || object.includes('+')) {
    throw new TusError('ERR_INVALID_UPLOAD_ID', { detail: 'an object of S3 cannot have it' });
  }
  // Throws where no object is large enough.
  partBytesAt({ profile, wishedBytes: wishedPartBytes, size: draft.size }, 0);
  const own = { bucket: bucket.name, key: `${prefix}${object}` };
  const elsewhere = placeElsewhere(own, placeObject?.({ ...draft, id: object }), draft.storage);
  const at = elsewhere ?? own;
  if (elsewhere !== undefined && isReserved(elsewhere.key)) {
    throw new Error(`An upload must not have the key ${elsewhere.key}: records have such names`);
  }
  for (const key of [at.key, infoKey(prefix, object)]) {
    const names = key.split('/').map((name) => Buffer.byteLength(name));
    if (Buffer.byteLength(key) > maxKeyBytes || Math.max(...names) > profile.maxNameBytes) {
      throw tooLong();
    }
  }
  try {
    if (draft.id !== undefined) await requireFree(means, object, signal);
    if (elsewhere !== undefined) await requireNoObject(means, elsewhere, signal);
    const multipart = await bucket.multiparts.create(at, objectMetadata(draft.metadata), signal);
    return await recordUpload(means, draft, `${object}+${multipart}`, elsewhere, signal);
  } catch (error) {
    throw creationError(error);
  }
}

type Address = { readonly bucket: string; readonly key: string };

/** What a hook says goes before what is set up. Undefined where both leave the object where tusd would have it. */
function placeElsewhere(
  own: Address,
  chosen: ReturnType<PlaceObject> = {},
  storage: UploadDraft['storage'] = {},
): Address | undefined {
  const key = storage['Key'] ?? chosen.key ?? own.key;
  const bucket = storage['Bucket'] ?? chosen.bucket ?? own.bucket;
  return key === own.key && bucket === own.bucket ? undefined : { bucket, key };
}

/** What a client sends must never be read as a record. The rule for IDs keeps them from the other keys. */
function isReserved(key: string): boolean {
  return /\.(?:info|part)$/.test(key) || /(?:^|\/)\.tuskd\//.test(key);
}

/** An ID that was chosen may be taken already. */
async function requireFree(
  { bucket, prefix }: S3Means,
  object: string,
  signal: Signal,
): Promise<void> {
  const { conditionalWrites, foldersCollide } = bucket.profile;
  if (!conditionalWrites) await requireNoRecord(object);
  if (!foldersCollide) return;
  for (let slash = object.indexOf('/'); slash !== -1; slash = object.indexOf('/', slash + 1)) {
    await requireNoRecord(object.slice(0, slash));
  }
  for await (const { key } of bucket.list(`${prefix}${object}/`, signal)) {
    throw new TusError('ERR_UPLOAD_EXISTS', { cause: `${key} makes a folder of it` });
  }

  async function requireNoRecord(name: string): Promise<void> {
    const found = await bucket.head(bucket.name, infoKey(prefix, name), signal);
    if (found !== undefined) throw new TusError('ERR_UPLOAD_EXISTS');
  }
}

/** Under a key of one's own choice there may be an object of anybody. */
async function requireNoObject(means: S3Means, at: Address, signal: Signal): Promise<void> {
  const found = await means.bucket.head(at.bucket, at.key, signal);
  if (found !== undefined) throw new TusError('ERR_UPLOAD_EXISTS');
}

async function recordUpload(
  { bucket, prefix }: S3Means,
  draft: UploadDraft,
  id: string,
  elsewhere: Address | undefined,
  signal: Signal,
): Promise<Survey> {
  const keys = objectKeys(bucket.name, prefix, id, elsewhere);
  try {
    if (id.length > maxKeyBytes) throw tooLong();
    if (!isUploadId(id)) throw new Error(`S3 made a multipart upload whose ID is no path: ${id}`);
    const own = { Type: 's3store', Bucket: keys.bucket, Key: keys.data };
    const info = newUploadInfo(draft, { id, storage: { ...draft.storage, ...own } });
    const ledger = { ...emptyLedger, elsewhere, revision: newRevision() };
    const condition = bucket.profile.conditionalWrites ? 'absent' : undefined;
    const content = serializeRecord({ info, ledger });
    const etag = await bucket
      .put(keys.info, content, signal, { condition })
      .catch(async (error: unknown) => {
        if (!isPreconditionFailed(error)) throw error;
        // Perhaps by ourselves, and only the answer was lost.
        const there = await loadRecord({ bucket, prefix, id }, signal).catch(() => undefined);
        if (there?.ledger.revision !== ledger.revision) throw error;
        return there.etag;
      });
    return surveyNew({ info, ledger, keys, etag, isTusds: false, modifiedAt: info.modifiedAt });
  } catch (error) {
    // What failed is what counts; a multipart upload that stays without a record holds no bytes. Not with the signal: where it
    // has fired, nothing is to be left either, and the record may have been put all the same.
    await removeRecord({ bucket, prefix, id }, keys).catch(() => undefined);
    await bucket.multiparts.abort(keys, undefined).catch(() => undefined);
    throw error;
  }
}

/** Removes the record of an upload that could not be made, unless it is another's. */
async function removeRecord(place: Place, keys: ObjectKeys): Promise<void> {
  await loadRecord(place, undefined);
  await place.bucket.delete([keys.info], undefined);
}

/** What stores on file systems say of a key whose folder is an object. */
const takenCodes = new Set(['ObjectParentIsFile', 'XMinioParentIsObject']);

function creationError(error: unknown): unknown {
  const code = s3ErrorCode(error) ?? '';
  if (code === 'KeyTooLongError') return tooLong(error);
  if (isPreconditionFailed(error) || takenCodes.has(code)) {
    return new TusError('ERR_UPLOAD_EXISTS', { cause: error });
  }
  return asTusError(error);
}

function tooLong(cause?: unknown): TusError {
  return new TusError('ERR_INVALID_UPLOAD_ID', { detail: 'it is too long', cause });
}
