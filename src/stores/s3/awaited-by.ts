import { TusError } from '../../core/errors.js';
import { loadRecord, type Place, unlessGone } from './load-record.js';
import { awaitedByKey, awaitedByPrefix, isNoteKey, objectKeys, ownFolder } from './object-keys.js';
import type { Signal } from './s3-calls.js';

/** Bytes of an ID at most. */
const maxIdBytes = 1024;
/** Notes that are read at once. */
const readAtOnce = 8;

/**
 * Notes that upload `finalId` waits for this one. Each note is an object of its own: the record may be changed by whoever holds
 * the lock, and nobody who adds a note does.
 *
 * @throws TusError ERR_UPLOAD_NOT_FOUND
 */
export async function noteAwaitedBy(place: Place, finalId: string, signal: Signal): Promise<void> {
  const { bucket } = place;
  const key = awaitedByKey(folderOf(place), finalId);
  // Whose it is, for the case that it outlives its upload.
  await bucket.put(key, finalId, signal, { metadata: { upload: place.id } });
  // Only now: an upload that goes meanwhile takes the note with it, or is seen to have gone.
  if ((await unlessGone(loadRecord(place, signal))) !== undefined) return;
  await bucket.delete([key], signal);
  throw new TusError('ERR_UPLOAD_NOT_FOUND');
}

/** IDs of the uploads that wait for this one. */
export async function listAwaitedBy(place: Place, signal: Signal): Promise<string[]> {
  const { bucket } = place;
  const keys: string[] = [];
  for await (const { key } of bucket.list(awaitedByPrefix(folderOf(place)), signal)) keys.push(key);
  const ids: string[] = [];
  while (keys.length > 0) {
    const reading = keys
      .splice(-readAtOnce)
      .map(async (key) => (await bucket.get(key, maxIdBytes, signal))?.content.toString());
    // One that has gone since went with the upload.
    ids.push(...(await Promise.all(reading)).filter((id) => id !== undefined));
  }
  return ids;
}

/** IDs of all uploads that wait for one, once for each that they wait for. */
export async function* listWaiting(
  { bucket, prefix }: Pick<Place, 'bucket' | 'prefix'>,
  signal: Signal,
): AsyncGenerator<string> {
  for await (const { key } of bucket.list(ownFolder(prefix), signal)) {
    if (!isNoteKey(key)) continue;
    const note = await bucket.get(key, maxIdBytes, signal);
    if (note !== undefined) yield note.content.toString();
  }
}

function folderOf({ bucket, prefix, id }: Place): string {
  return objectKeys(bucket.name, prefix, id).folder;
}
