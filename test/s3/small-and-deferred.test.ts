import { describe, expect, it } from 'vitest';
import { useS3 } from '../services/use-s3.js';
import { create, head, offsetOf, patch } from '../protocol/tus.js';
import { fileOf, keyOf, MiB, openBed } from './s3-bed.js';
import { idIn, serve } from './s3-http.js';

const s3 = useS3();
const file = fileOf(7 * MiB);

describe('field 21: an upload without a byte', () => {
  it('is an object once it is created', async () => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, 0);
    expect((await bed.object(keyOf(idIn(path)))).byteLength).toBe(0);
    expect(await offsetOf(server, path)).toBe(0);
    expect(server.finishes()).toBe(1);
  });

  it('is one once its length is declared', async () => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, 'deferred');
    expect(await offsetOf(server, path)).toBe(0);
    expect((await patch(server, path, 0, '', { 'Upload-Length': '0' })).status).toBe(204);
    expect((await bed.object(keyOf(idIn(path)))).byteLength).toBe(0);
    expect(server.finishes()).toBe(1);
  });
});

describe('field 26: a length that is declared late', () => {
  const length = { 'Upload-Length': String(file.byteLength) };

  it.each([
    ['with the last chunk', {}, length, undefined],
    ['with a chunk before', length, {}, undefined],
    ['by an empty request', {}, {}, length],
  ])('%s', async (_, first, last, afterwards) => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, 'deferred');
    await patch(server, path, 0, file.subarray(0, 100), first);
    await patch(server, path, 100, file.subarray(100), last);
    if (afterwards !== undefined) {
      expect(await offsetOf(server, path)).toBe(file.byteLength);
      expect(server.finishes()).toBe(0);
      expect((await patch(server, path, file.byteLength, '', afterwards)).status).toBe(204);
    }
    const answer = await head(server, path);
    expect(answer.header('upload-offset')).toBe(String(file.byteLength));
    expect(answer.header('upload-length')).toBe(String(file.byteLength));
    expect((await bed.object(keyOf(idIn(path)))).equals(file)).toBe(true);
    expect(server.finishes()).toBe(1);
    expect(await bed.keys()).toEqual([keyOf(idIn(path)), `${keyOf(idIn(path))}.info`]);
  });

  it.each([
    ['below what is there', 99, 400],
    ['beyond what an object may have', 6 * 1024 ** 4, 413],
  ])('is refused %s', async (_, size, status) => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, 'deferred');
    await patch(server, path, 0, file.subarray(0, 100));
    const declared = await patch(server, path, 100, '', { 'Upload-Length': String(size) });
    expect(declared.status).toBe(status);
    expect((await patch(server, path, 100, file.subarray(100), length)).status).toBe(204);
  });
});
