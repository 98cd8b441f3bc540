import { describe, expect, it } from 'vitest';
import { type S3Provider } from '../../dist/stores/s3/s3-profile.js';
import { fail } from '../services/s3-faults.js';
import { useS3 } from '../services/use-s3.js';
import { create, head, patch } from '../protocol/tus.js';
import { fileOf, keyOf, MiB, openBed, type S3Bed } from './s3-bed.js';
import { idIn, serve } from './s3-http.js';

const s3 = useS3();
const file = fileOf(8 * MiB);

/** An upload of 8 MiB with 6 of them, whose multipart upload somebody else has aborted. */
async function abortedUpload(bed: S3Bed, provider: S3Provider) {
  const server = await serve(bed.store({ provider }));
  const path = await create(server, file.byteLength);
  await patch(server, path, 0, file.subarray(0, 6 * MiB));
  const [Key = '', UploadId = ''] = idIn(path).split('+');
  await bed.direct.abortMultipartUpload({ Bucket: bed.bucket, Key, UploadId });
  return { server, path };
}

describe('field 17: an upload whose multipart upload was aborted behind our back', () => {
  it.each<[string, S3Provider, string | undefined]>([
    ['as S3 says it', 'versitygw', undefined],
    ['with NoSuchKey', 'generic', 'NoSuchKey'],
    ['with a bare 404', 'generic', 'NotFound'],
  ])('is gone: %s', async (_, provider, code) => {
    const bed = await openBed(s3());
    const { server, path } = await abortedUpload(bed, provider);
    if (code !== undefined) {
      bed.proxy.inject({ operation: 'ListParts', times: Infinity }, fail(404, code));
    }
    expect((await head(server, path)).status).toBe(404);
    expect((await patch(server, path, 6 * MiB, file.subarray(6 * MiB))).status).toBe(404);
    expect(server.finishes()).toBe(0);
  });

  it('is gone where a missing object is forbidden', async () => {
    const bed = await openBed(s3());
    const { server, path } = await abortedUpload(bed, 'versitygw');
    const key = (name: string): boolean => name === keyOf(idIn(path));
    bed.proxy.inject({ operation: 'HeadObject', key, times: Infinity }, fail(403, 'AccessDenied'));
    expect((await head(server, path)).status).toBe(404);
    expect((await patch(server, path, 6 * MiB, file.subarray(6 * MiB))).status).toBe(404);
  });

  it('is gone where an object of another size has its key', async () => {
    const bed = await openBed(s3());
    const { server, path } = await abortedUpload(bed, 'versitygw');
    await bed.direct.putObject({ Bucket: bed.bucket, Key: keyOf(idIn(path)), Body: 'foreign' });
    expect((await head(server, path)).status).toBe(404);
    expect(server.finishes()).toBe(0);
  });

  it('is not taken for gone where S3 has a code that is no word on it', async () => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, file.byteLength);
    bed.proxy.inject({ operation: 'ListParts', times: Infinity }, fail(403, 'AccessDenied'));
    expect((await head(server, path)).status).toBe(500);
  });

  it('is gone, too, for a chunk that was on its way', async () => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, file.byteLength);
    bed.proxy.inject({ operation: 'UploadPart', times: Infinity }, fail(404, 'NoSuchUpload'));
    const { status } = await patch(server, path, 0, file);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(server.finishes()).toBe(0);
  });
});

it('reads no more of an object with the name of a record than a record can have', async () => {
  const bed = await openBed(s3());
  await bed.direct.putObject({ Bucket: bed.bucket, Key: 'their.info', Body: fileOf(9 * MiB) });
  await expect(bed.store().getUpload('their+1')).rejects.toThrow('more than');
  expect(bed.proxy.total('GetObject').requests).toBe(1);
});
