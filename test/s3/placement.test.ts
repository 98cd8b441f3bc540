import { describe, expect, it } from 'vitest';
import { draft, metadataOf } from '../../dist/testing/data-store/fixtures.js';
import { bodyOf } from '../../dist/testing/memory-body.js';
import { useS3 } from '../services/use-s3.js';
import { fileOf, openBed } from './s3-bed.js';

const server = useS3();

describe('an upload with a place of its own', () => {
  it('becomes an object there, is read from there, and is removed there', async () => {
    const bed = await openBed(server());
    const other = await server().newBucket();
    const storage = { Bucket: other, Key: 'reports/2026/summary.pdf' };
    const upload = await bed.freshStore().newUpload(draft({ id: 'mine', size: 100, storage }));
    expect((await upload.getInfo()).storage).toMatchObject(storage);
    await upload.writeChunk(0, bodyOf(fileOf(40)));
    const again = await bed.freshStore().getUpload(upload.id);
    expect(await again.writeChunk(40, bodyOf(fileOf(100).subarray(40)))).toEqual({
      bytesWritten: 60,
    });
    await again.finish?.();

    const object = await bed.direct.getObject({ Bucket: other, Key: storage.Key });
    expect(Buffer.from((await object.Body?.transformToByteArray()) ?? [])).toEqual(fileOf(100));
    expect(await bed.keys()).toEqual(['mine.info']);
    const result = await (await bed.freshStore().getUpload(upload.id)).read?.({ start: 0, end: 9 });
    if (result === undefined || 'redirect' in result) throw new Error('no stream');
    expect(Buffer.concat(await result.stream.toArray())).toEqual(fileOf(9));

    await (await bed.freshStore().getUpload(upload.id)).terminate?.();
    const left = await bed.direct.listObjectsV2({ Bucket: other });
    expect([await bed.keys(), left.Contents ?? []]).toEqual([[], []]);
  });

  it('is refused where there is an object already, which stays as it is', async () => {
    const bed = await openBed(server());
    await bed.direct.putObject({ Bucket: bed.bucket, Key: 'taken', Body: 'theirs' });
    const store = bed.freshStore({ placeObject: () => ({ key: 'taken' }) });
    await expect(store.newUpload(draft({ size: 3 }))).rejects.toMatchObject({
      code: 'ERR_UPLOAD_EXISTS',
    });
    expect(await bed.keys()).toEqual(['taken']);
    expect((await bed.object('taken')).toString()).toBe('theirs');
    expect(await bed.multiparts()).toBe(0);
  });

  it('gets it from what is known of it, unless a hook says otherwise', async () => {
    const bed = await openBed(server());
    const store = bed.freshStore({
      placeObject: ({ metadata }) => ({ key: `by-name/${metadata['filename']}` }),
    });
    const metadata = metadataOf({ filename: 'a.txt' });
    const named = await store.newUpload(draft({ size: 1, metadata }));
    const hooked = await store.newUpload(draft({ size: 1, metadata, storage: { Key: 'by-hook' } }));
    for (const upload of [named, hooked]) {
      await upload.writeChunk(0, bodyOf(fileOf(1)));
      await upload.finish?.();
    }
    expect((await bed.keys()).filter((key) => !key.endsWith('.info'))).toEqual([
      'by-hook',
      'by-name/a.txt',
    ]);
  });

  it('leaves the object of a later upload under its key when it is removed', async () => {
    const bed = await openBed(server());
    const store = bed.freshStore({ placeObject: () => ({ key: 'same' }) });
    const [early, late] = [
      await store.newUpload(draft({ size: 3 })),
      await store.newUpload(draft({ size: 3 })),
    ];
    for (const [upload, bytes] of [
      [early, 'old'],
      [late, 'new'],
    ] as const) {
      await upload.writeChunk(0, bodyOf(Buffer.from(bytes)));
      await upload.finish?.();
    }
    await (await bed.freshStore().getUpload(early.id)).terminate?.();
    expect((await bed.object('same')).toString()).toBe('new');
    await (await bed.freshStore().getUpload(late.id)).terminate?.();
    expect([await bed.keys(), await bed.multiparts()]).toEqual([[], 0]);
  });

  for (const key of ['x.info', 'folder/x.part', '.tuskd/x', 'folder/.tuskd/x']) {
    it(`must not be named like a record: ${key}`, async () => {
      const bed = await openBed(server());
      const store = bed.freshStore({ placeObject: () => ({ key }) });
      await expect(store.newUpload(draft({ size: 1 }))).rejects.toThrow('must not have the key');
      expect([await bed.keys(), await bed.multiparts()]).toEqual([[], 0]);
    });
  }
});
