import { describe, expect, it } from 'vitest';
import type { StoredItem } from '../../dist/core/data-store.js';
import { awaitedByKey, newPieceKey, objectKeys } from '../../dist/stores/s3/object-keys.js';
import type { S3Store } from '../../dist/stores/s3/s3-store.js';
import { fail, hold } from '../services/s3-faults.js';
import { useS3 } from '../services/use-s3.js';
import {
  append,
  completeFrom,
  fileOf,
  infoIn,
  keyOf,
  MiB,
  newUpload,
  openBed,
  type S3Bed,
} from './s3-bed.js';

const s3 = useS3();

async function listed(store: S3Store): Promise<StoredItem[]> {
  const items: StoredItem[] = [];
  for await (const item of store.list()) items.push(item);
  return items;
}

/** Stores an object in an upload's folder, as somebody who was late would. */
async function putLate(bed: S3Bed, id: string, name: 'piece' | 'note'): Promise<void> {
  const { folder } = objectKeys(bed.bucket, '', id);
  const piece = { start: 0, size: 4, fence: 1, time: Date.now(), isDraft: false };
  const Key = name === 'piece' ? newPieceKey(folder, piece) : awaitedByKey(folder, 'final+1');
  await bed.direct.putObject({ Bucket: bed.bucket, Key, Body: 'late', Metadata: { upload: id } });
}

describe('what an upload has left behind', () => {
  it.each([[['piece'] as const], [['note'] as const], [['note', 'piece', 'piece'] as const]])(
    'is one orphan, and can be removed: %s',
    async (names) => {
      const bed = await openBed(s3());
      const store = bed.freshStore();
      const [id, other] = [await newUpload(store, 1), await newUpload(store, 1)];
      await append(store, other, 0, fileOf(1));
      await (await store.getUpload(other)).noteAwaitedBy?.('final+2');
      await (await store.getUpload(id)).terminate?.();
      const before = await bed.keys();
      for (const name of names) await putLate(bed, id, name);
      expect(await bed.keys()).toHaveLength(before.length + names.length);
      const items = await listed(store);
      expect(items.map((item) => `${item.kind} ${item.id}`).sort()).toEqual(
        [`orphan ${id}`, `upload ${other}`].sort(),
      );
      for (const item of items) await store.removeOrphan(item.id);
      expect(await bed.keys()).toEqual(before);
      expect((await infoIn(store, other)).offset).toBe(1);
    },
  );

  it('is a record, with all that is beside it, where a rule of the bucket was faster', async () => {
    const bed = await openBed(s3());
    const store = bed.freshStore();
    const id = await newUpload(store, 2 * MiB);
    await append(store, id, 0, fileOf(MiB));
    await (await store.getUpload(id)).noteAwaitedBy?.('final+1');
    const [Key = '', UploadId = ''] = id.split('+');
    await bed.direct.abortMultipartUpload({ Bucket: bed.bucket, Key, UploadId });
    // Too small to be what it became.
    await bed.direct.putObject({ Bucket: bed.bucket, Key, Body: 'of somebody else' });
    expect(await listed(store)).toMatchObject([{ id, kind: 'orphan' }]);
    await store.removeOrphan(id);
    await store.removeOrphan(id);
    expect(await bed.keys()).toEqual([Key]);
    expect(await listed(store)).toEqual([]);
  });

  it('is never what others have, nor an upload', async () => {
    const bed = await openBed(s3());
    const store = bed.freshStore();
    const ids = [await newUpload(store, MiB), await newUpload(store, MiB)] as const;
    await completeFrom(store, ids[0], fileOf(MiB));
    await append(store, ids[1], 0, fileOf(100));
    const gone = await newUpload(store, 1);
    await (await store.getUpload(gone)).terminate?.();
    const theirs = [`${objectKeys(bed.bucket, '', gone).folder}theirs`, '.tuskd/theirs/1-2..3.x'];
    for (const Key of theirs) {
      const Metadata = { upload: gone };
      await bed.direct.putObject({ Bucket: bed.bucket, Key, Body: 'theirs', Metadata });
    }
    await bed.direct.createMultipartUpload({ Bucket: bed.bucket, Key: 'theirs' });
    const before = await bed.keys();
    expect((await listed(store)).map(({ id }) => id).sort()).toEqual([...ids].sort());
    for (const id of [...ids, gone, 'theirs', 'theirs+1', keyOf(ids[0])]) {
      await store.removeOrphan(id);
    }
    expect(await bed.keys()).toEqual(before);
    expect(await bed.multiparts()).toBe(2);
  });

  it('stays where the lock was lost', async () => {
    const bed = await openBed(s3());
    const store = bed.freshStore();
    const id = await newUpload(store, MiB);
    await (await store.getUpload(id)).update({}, { fence: 5 });
    const [Key = '', UploadId = ''] = id.split('+');
    await bed.direct.abortMultipartUpload({ Bucket: bed.bucket, Key, UploadId });
    const removing = store.removeOrphan(id, { fence: 4 });
    await expect(removing).rejects.toMatchObject({ code: 'ERR_LOCK_LOST' });
    expect(await bed.keys()).toEqual([`${Key}.info`]);
  });
});

describe('notes of who waits for a part', () => {
  it('cost one call to read where there are none', async () => {
    const bed = await openBed(s3());
    const upload = await bed.store().newUpload({
      metadata: {},
      isPartial: true,
      isFinal: false,
      parts: [],
      size: 1,
    });
    bed.proxy.forget();
    expect(await upload.awaitedBy?.()).toEqual([]);
    expect(bed.proxy.operations).toEqual(['ListObjectsV2']);
  });

  it('are all found where there are many, and no bytes of the upload', async () => {
    const bed = await openBed(s3());
    const id = await newUpload(bed.freshStore(), MiB);
    const upload = await bed.freshStore().getUpload(id);
    const finals = Array.from({ length: 30 }, (_, index) => `folder/${index}+${'x'.repeat(900)}`);
    await Promise.all(finals.map(async (final) => upload.noteAwaitedBy?.(final)));
    expect([...((await upload.awaitedBy?.()) ?? [])].sort()).toEqual(finals.toSorted());
    await completeFrom(bed.freshStore(), id, fileOf(MiB));
    expect(await upload.awaitedBy?.()).toHaveLength(30);
    await (await bed.freshStore().getUpload(id)).terminate?.();
    expect(await bed.keys()).toEqual([]);
  });

  it('are not left behind where the upload goes at that moment', async () => {
    const bed = await openBed(s3());
    const id = await newUpload(bed.freshStore(), MiB);
    const upload = await bed.store().getUpload(id);
    const held = hold();
    const isNote = (key: string): boolean => key.includes('awaited-by');
    bed.proxy.inject({ operation: 'PutObject', key: isNote }, held.fault);
    const noting = upload.noteAwaitedBy?.('final+1');
    await held.reached;
    await (await bed.freshStore().getUpload(id)).terminate?.();
    held.release();
    await expect(noting).rejects.toMatchObject({ code: 'ERR_UPLOAD_NOT_FOUND' });
    expect(await bed.keys()).toEqual([]);
  });

  it('are not taken for noted where S3 refuses them', async () => {
    const bed = await openBed(s3());
    const upload = await bed.store().getUpload(await newUpload(bed.freshStore(), MiB));
    bed.proxy.inject({ operation: 'PutObject' }, fail(403, 'AccessDenied'));
    await expect(upload.noteAwaitedBy?.('final+1')).rejects.toThrow();
    expect(await upload.awaitedBy?.()).toEqual([]);
  });
});
