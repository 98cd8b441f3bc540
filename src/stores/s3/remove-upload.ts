import {
  assertFence,
  changeRecord,
  type LoadedRecord,
  loadRecord,
  type Place,
  unlessGone,
} from './load-record.js';
import { isOwnKey, objectKeys } from './object-keys.js';
import type { Signal } from './s3-calls.js';
import { survey } from './survey.js';

/**
 * Removes an upload, and does nothing where it has gone already.
 * @throws TusError ERR_LOCK_LOST for a fence below the record's
 */
export async function removeUpload(
  place: Place,
  fence: number | undefined,
  signal: Signal,
): Promise<void> {
  const record = await unlessGone(loadRecord(place, signal));
  if (record === undefined) return;
  assertFence(record, fence);
  const found = await unlessGone(survey(place, signal));
  const { data, bucket } = record.keys;
  // Only what the upload has become: another's object may lie under the key of an upload that never came so far.
  if (found?.isComplete && (await isOwnObject(place, record, signal))) {
    // From now on it is only there with its object: who dies before the end must not leave one that is whole and has no bytes.
    await changeRecord(place, record, fence, signal, ({ info, ledger }) => ({
      info,
      ledger: { ...ledger, state: 'completing' },
    }));
    await place.bucket.delete([data], signal, bucket);
  }
  await removeRecorded(place, record, signal);
}

/** Under a key that is not the upload's alone, a later one may have put its object over this one's. */
async function isOwnObject(
  { bucket }: Place,
  { keys, ledger: { objectEtag } }: LoadedRecord,
  signal: Signal,
): Promise<boolean> {
  if (objectEtag === undefined) return true;
  const object = await bucket.head(keys.bucket, keys.data, signal);
  return object?.etag === objectEtag;
}

/**
 * Removes what a crash, or a rule of the bucket, has left of an upload that is gone. An object that may have been its own
 * stays: nothing says whose it is.
 *
 * @throws TusError ERR_LOCK_LOST for a fence below the record's
 */
export async function removeOrphan(
  place: Place,
  fence: number | undefined,
  signal: Signal,
): Promise<void> {
  const { bucket, prefix, id } = place;
  const { folder } = objectKeys(bucket.name, prefix, id);
  if ((await unlessGone(survey(place, signal))) !== undefined) return;
  const record = await unlessGone(loadRecord(place, signal));
  if (record === undefined) {
    await bucket.delete(await listOwn(place, folder, signal), signal);
    return;
  }
  assertFence(record, fence);
  await removeRecorded(place, record, signal);
}

/**
 * Without its multipart upload, an upload is gone, so that nobody sees one with fewer bytes than before. The record goes last:
 * until then, what is left can be found.
 */
async function removeRecorded(place: Place, { keys }: LoadedRecord, signal: Signal): Promise<void> {
  const { bucket } = place;
  await bucket.multiparts.abort(keys, signal);
  await bucket.delete([...(await listOwn(place, keys.folder, signal)), keys.tail], signal);
  await bucket.delete([keys.info], signal);
}

async function listOwn({ bucket }: Place, folder: string, signal: Signal): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of bucket.list(folder, signal)) {
    if (isOwnKey(key, folder)) keys.push(key);
  }
  return keys;
}
