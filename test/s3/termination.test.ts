import { describe, expect, it } from 'vitest';
import { fail } from '../services/s3-faults.js';
import { useS3 } from '../services/use-s3.js';
import { create, patch, request } from '../protocol/tus.js';
import { append, completeFrom, fileOf, keyOf, MiB, newUpload, openBed } from './s3-bed.js';
import { idIn, serve } from './s3-http.js';
import { tusdUpload } from './tusd-upload.js';

const s3 = useS3();
const file = fileOf(7 * MiB);

describe('field 23: a terminated upload leaves nothing', () => {
  it.each([
    ['without a byte', 0],
    ['with a piece', MiB],
    ['with a part', 6 * MiB],
    ['that is finished', 7 * MiB],
  ])('%s', async (_, bytes) => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, file.byteLength);
    if (bytes > 0) await patch(server, path, 0, file.subarray(0, bytes));
    expect((await request(server, 'DELETE', path)).status).toBe(204);
    expect(await bed.keys()).toEqual([]);
    expect(await bed.multiparts()).toBe(0);
    expect((await request(server, 'DELETE', path)).status).toBe(404);
  });

  it('with tusd’s tail, and pieces', async () => {
    const bed = await openBed(s3());
    const id = await tusdUpload(bed, { size: 7 * MiB, parts: [], tail: file.subarray(0, 100) });
    await append(bed.store(), id, 100, file.subarray(100, 200));
    expect(await bed.keys()).toHaveLength(3);
    await (await bed.store().getUpload(id)).terminate?.();
    expect(await bed.keys()).toEqual([]);
    expect(await bed.multiparts()).toBe(0);
  });

  it('twice by one handle', async () => {
    const bed = await openBed(s3());
    const upload = await bed.store().getUpload(await newUpload(bed.store(), 1));
    await upload.terminate?.();
    await upload.terminate?.();
    expect(await bed.keys()).toEqual([]);
  });

  it.each(['NoSuchKey', 'NotFound'])('where S3 says %s of what it has completed', async (code) => {
    const bed = await openBed(s3());
    const store = bed.store({ provider: 'generic' });
    const id = await newUpload(store, file.byteLength);
    await completeFrom(store, id, file);
    bed.proxy.inject({ operation: 'AbortMultipartUpload' }, fail(404, code));
    await (await store.getUpload(id)).terminate?.();
    expect(await bed.keys()).toEqual([]);
  });

  it('but the object of somebody else under its key', async () => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, file.byteLength);
    const Key = keyOf(idIn(path));
    await bed.direct.putObject({ Bucket: bed.bucket, Key, Body: 'foreign' });
    expect((await request(server, 'DELETE', path)).status).toBe(204);
    expect(await bed.keys()).toEqual([Key]);
  });

  it.each([
    ['with a piece', MiB],
    ['with a part and a piece', 6 * MiB],
    ['that is finished', 7 * MiB],
  ])(
    '%s, once it is swept, where S3 failed in the middle; until then it is gone',
    async (_, bytes) => {
      const bed = await openBed(s3());
      const server = await serve(bed.store());
      const path = await create(server, file.byteLength);
      await patch(server, path, 0, file.subarray(0, bytes));
      const isFinished = bytes === file.byteLength;
      // The record alone is left of one, and the pieces, too, of the other.
      bed.proxy.inject(
        { operation: 'AbortMultipartUpload', times: isFinished ? 2 : 0 },
        fail(500, 'InternalError'),
      );
      bed.proxy.inject(
        { operation: 'DeleteObjects', times: isFinished ? 0 : 2 },
        fail(500, 'InternalError'),
      );
      expect((await request(server, 'DELETE', path)).status).toBe(500);
      for (const method of ['HEAD', 'GET', 'DELETE']) {
        expect((await request(server, method, path)).status).toBe(404);
      }
      const store = bed.store();
      const items: string[] = [];
      for await (const { id, kind } of store.list()) items.push(`${kind} ${id}`);
      expect(items).toEqual([`orphan ${idIn(path)}`]);
      await store.removeOrphan(idIn(path));
      expect(await bed.keys()).toEqual([]);
      expect(await bed.multiparts()).toBe(0);
    },
  );
});
