import { isTusError, TusError } from '../../core/errors.js';
import { type ObjectKeys, objectKeys } from './object-keys.js';
import type { FoundObject, S3Bucket } from './s3-bucket.js';
import { isMissingObject, isPreconditionFailed, s3ErrorCode } from './s3-errors.js';
import {
  maxRecordBytes,
  newRevision,
  parseRecord,
  serializeRecord,
  type UploadRecord,
} from './upload-record.js';

/** Where an upload is to be found. */
export interface Place {
  readonly bucket: S3Bucket;
  /** Of all keys of the store. */
  readonly prefix: string;
  readonly id: string;
}

/** The info object as it was read. */
export interface LoadedRecord extends UploadRecord {
  readonly keys: ObjectKeys;
  readonly etag: string | undefined;
  /** In milliseconds since 1970. */
  readonly modifiedAt: number;
}

/**
 * Reads an upload's record.
 * @throws TusError ERR_UPLOAD_NOT_FOUND
 */
export async function loadRecord(
  { bucket, prefix, id }: Place,
  signal: AbortSignal | undefined,
): Promise<LoadedRecord> {
  const { info } = objectKeys(bucket.name, prefix, id);
  const found = await bucket.get(info, maxRecordBytes, signal);
  const record = found && readRecord(found.content.toString(), id);
  // Another upload to the same object: this one is gone.
  if (found === undefined || record?.info.id !== id) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  return asLoaded({ bucket, prefix }, record, found);
}

/** A record with what is known of the object that it was read from. */
export function asLoaded(
  { bucket, prefix }: Pick<Place, 'bucket' | 'prefix'>,
  record: UploadRecord,
  { etag, modifiedAt }: Pick<FoundObject, 'etag' | 'modifiedAt'>,
): LoadedRecord {
  const keys = objectKeys(bucket.name, prefix, record.info.id, record.ledger.elsewhere);
  return { ...record, keys, etag, modifiedAt };
}

/** What `looking` finds; undefined where the upload is gone. */
export async function unlessGone<Found>(looking: Promise<Found>): Promise<Found | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (isTusError(error, 'ERR_UPLOAD_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** An info object that says nothing sensible is no missing upload: somebody has to look at it. */
function readRecord(text: string, id: string): UploadRecord {
  try {
    return parseRecord(text);
  } catch (error) {
    throw new Error(`The info object of upload ${id} cannot be read`, { cause: error });
  }
}

/** How often a change is made anew because somebody else changed the record meanwhile. */
const maxConflicts = 5;

/**
 * Changes an upload's record, on the state that it really has: where it was changed since it was `loaded`, `change` is called
 * again with what is there now.
 *
 * Where the provider has no conditional writes, it is read once more just before. Then a writer that was paused between the
 * two calls for longer than its lease can still undo its successor's change.
 *
 * @throws TusError ERR_LOCK_LOST for a fence below the record's, ERR_UPLOAD_NOT_FOUND once it is gone
 */
export async function changeRecord(
  place: Place,
  loaded: LoadedRecord,
  fence: number | undefined,
  signal: AbortSignal | undefined,
  change: (record: UploadRecord) => Pick<UploadRecord, 'info' | 'ledger'>,
): Promise<LoadedRecord> {
  const { bucket } = place;
  const isConditional = bucket.profile.conditionalWrites;
  let current = isConditional ? loaded : await loadRecord(place, signal);
  for (let conflicts = 0; ; conflicts++) {
    assertFence(current, fence);
    const changed = withFence(change(current), fence);
    const ledger = { ...changed.ledger, revision: newRevision() };
    const content = serializeRecord({ info: changed.info, ledger });
    const condition =
      isConditional && current.etag !== undefined ? { etag: current.etag } : undefined;
    try {
      const etag = await bucket.put(current.keys.info, content, signal, { condition });
      const { keys } = current;
      return { info: changed.info, ledger, isTusds: false, keys, etag, modifiedAt: Date.now() };
    } catch (error) {
      if (!isConflict(error) || conflicts === maxConflicts) throw error;
    }
    current = await loadRecord(place, signal);
    // It was our own write whose answer was lost.
    if (current.ledger.revision === ledger.revision) return current;
  }
}

/** @throws TusError ERR_LOCK_LOST */
export function assertFence({ info }: UploadRecord, fence: number | undefined): void {
  if (fence !== undefined && fence < (info.fence ?? -1)) throw new TusError('ERR_LOCK_LOST');
}

function withFence(
  { info, ledger }: Pick<UploadRecord, 'info' | 'ledger'>,
  fence: number | undefined,
): Pick<UploadRecord, 'info' | 'ledger'> {
  return fence === undefined ? { info, ledger } : { info: { ...info, fence }, ledger };
}

function isConflict(error: unknown): boolean {
  return (
    isPreconditionFailed(error) ||
    isMissingObject(error) ||
    s3ErrorCode(error) === 'ConditionalRequestConflict'
  );
}
