import type { StoredItem } from '../../core/data-store.js';
import { isUploadId } from '../../core/upload-id.js';
import { asLoaded, unlessGone } from './load-record.js';
import { infoKey, isOwnKey, objectKeys, ownFolder, splitId } from './object-keys.js';
import type { Signal } from './s3-calls.js';
import type { S3Means } from './s3-means.js';
import { survey } from './survey.js';
import { maxRecordBytes, parseRecord, type UploadRecord } from './upload-record.js';

type Means = Pick<S3Means, 'bucket' | 'prefix'>;
type ListedObject = { readonly key: string; readonly modifiedAt: number };

/** Uploads that are looked at at once. */
const lookedAtAtOnce = 16;

/**
 * Everything that has a record of ours or of tusd's, and what such an upload has left behind in its folder. Multipart uploads are
 * never listed: nothing tells ours from those of others, save the record that names them.
 */
export async function* listUploads(means: Means, signal: Signal): AsyncGenerator<StoredItem> {
  let batch: Promise<StoredItem | undefined>[] = [];
  for await (const object of candidates(means, signal)) {
    const item = identify(means, object, signal);
    // It may fail while the next page is waited for, which must not end the process: its turn to be told of comes.
    item.catch(() => undefined);
    batch.push(item);
    if (batch.length < lookedAtAtOnce) continue;
    yield* await found(batch);
    batch = [];
  }
  yield* await found(batch);
}

async function found(batch: readonly Promise<StoredItem | undefined>[]): Promise<StoredItem[]> {
  return (await Promise.all(batch)).filter((item) => item !== undefined);
}

/** Info objects, and of each folder one object, with the time of the newest. */
async function* candidates(means: Means, signal: Signal): AsyncGenerator<ListedObject> {
  const own = ownFolder(means.prefix);
  let last: ListedObject | undefined;
  for await (const { key, modifiedAt, size } of means.bucket.list(means.prefix, signal)) {
    if (!key.startsWith(own)) {
      if (key.endsWith('.info') && size <= maxRecordBytes) yield { key, modifiedAt };
      continue;
    }
    if (!isOwnKey(key, folderOf(key))) continue;
    const isSame = last !== undefined && folderOf(last.key) === folderOf(key);
    if (last !== undefined && !isSame) yield last;
    last = { key, modifiedAt: Math.max(modifiedAt, isSame ? (last?.modifiedAt ?? 0) : 0) };
  }
  if (last !== undefined) yield last;
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

async function identify(
  means: Means,
  object: ListedObject,
  signal: Signal,
): Promise<StoredItem | undefined> {
  return object.key.startsWith(ownFolder(means.prefix))
    ? identifyLeftover(means, object, signal)
    : identifyUpload(means, object, signal);
}

async function identifyUpload(
  means: Means,
  { key, modifiedAt }: ListedObject,
  signal: Signal,
): Promise<StoredItem | undefined> {
  const { bucket, prefix } = means;
  const found = await bucket.get(key, maxRecordBytes, signal);
  const record = found && recordIn(found.content);
  // Somebody else's object that has such a name.
  if (record === undefined || found === undefined) return undefined;
  const { id } = record.info;
  if (infoKey(prefix, splitId(id).object) !== key) return undefined;
  const loaded = asLoaded(means, record, found);
  const upload = await unlessGone(survey({ bucket, prefix, id }, signal, loaded));
  if (upload !== undefined) return { id, kind: 'upload', modifiedAt: upload.modifiedAt };
  // Terminated meanwhile, or a record without bytes: a rule of the bucket has aborted its multipart upload.
  const isThere = (await bucket.head(bucket.name, key, signal)) !== undefined;
  return isThere ? { id, kind: 'orphan', modifiedAt } : undefined;
}

/** What an upload that is there has in its folder is part of it; what somebody late has put there afterwards is nobody's. */
async function identifyLeftover(
  { bucket, prefix }: Means,
  { key, modifiedAt }: ListedObject,
  signal: Signal,
): Promise<StoredItem | undefined> {
  const id = (await bucket.head(bucket.name, key, signal))?.metadata['upload'];
  if (id === undefined || !isOwnId(id)) return undefined;
  // Somebody has copied it to where it would not be found.
  if (objectKeys(bucket.name, prefix, id).folder !== folderOf(key)) return undefined;
  const found = await bucket.get(infoKey(prefix, splitId(id).object), maxRecordBytes, signal);
  if (found !== undefined && recordIn(found.content)?.info.id === id) return undefined;
  return { id, kind: 'orphan', modifiedAt };
}

function recordIn(content: Buffer): UploadRecord | undefined {
  try {
    const record = parseRecord(content.toString());
    return isOwnId(record.info.id) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Others may write to a bucket, too, and what is listed is locked and looked up like an ID that was validated. */
function isOwnId(id: string): boolean {
  return isUploadId(id) && /^[^+]+\+./.test(id);
}
