import { describe, expect, it } from 'vitest';
import { s3Profiles } from '../../dist/stores/s3/s3-profile.js';
import { useS3 } from '../services/use-s3.js';
import { append, completeFrom, fileOf, infoIn, keyOf, MiB, newUpload, openBed } from './s3-bed.js';
import { tusdUpload } from './tusd-upload.js';

const s3 = useS3();
const file = fileOf(16 * MiB);
const size = file.byteLength;
const [first, second] = [file.subarray(0, 5 * MiB), file.subarray(5 * MiB, 10 * MiB)];
const tail = file.subarray(10 * MiB, 11 * MiB);

describe('an upload that tusd has begun', () => {
  it.each([
    ['nothing', [], undefined, 0],
    ['a tail', [], file.subarray(0, MiB), MiB],
    ['parts', [first, second], undefined, 10 * MiB],
    ['parts and a tail', [first, second], tail, 11 * MiB],
  ])('is finished here: %s', async (_, parts, tail, offset) => {
    const bed = await openBed(s3());
    const id = await tusdUpload(bed, { size, parts, ...(tail && { tail }) });
    expect(await infoIn(bed.store(), id)).toMatchObject({
      offset,
      metadata: { filename: 'a.txt' },
    });
    const middle = Math.min(offset + MiB, size);
    await append(bed.store(), id, offset, file.subarray(offset, middle));
    expect((await infoIn(bed.store(), id)).offset).toBe(middle);
    await completeFrom(bed.store(), id, file);
    expect((await bed.object(keyOf(id))).equals(file)).toBe(true);
    expect(await bed.keys()).toEqual([keyOf(id), `${keyOf(id)}.info`]);
  });

  it('is finished where tusd goes on in between', async () => {
    const bed = await openBed(s3());
    const id = await tusdUpload(bed, {
      size,
      parts: [first],
      tail: file.subarray(5 * MiB, 6 * MiB),
    });
    await append(bed.store(), id, 6 * MiB, file.subarray(6 * MiB, 11 * MiB));
    const [Key = '', UploadId = ''] = id.split('+');
    const at = { Bucket: bed.bucket, Key, UploadId };
    // tusd takes the number of parts plus one for the next number.
    const { Parts = [] } = await bed.direct.listParts(at);
    const stored = Parts.reduce((sum, { Size = 0 }) => sum + Size, 0);
    expect(stored).toBe(11 * MiB);
    const Body = file.subarray(11 * MiB, 15 * MiB + 1);
    await bed.direct.uploadPart({
      ...at,
      PartNumber: Parts.length + 1,
      Body: file.subarray(11 * MiB, size),
    });
    expect(Body.byteLength).toBeLessThan(5 * MiB);
    expect((await infoIn(bed.store(), id)).offset).toBe(size);
    await completeFrom(bed.store(), id, file);
    expect((await bed.object(keyOf(id))).equals(file)).toBe(true);
  });

  it('keeps the size of its parts where all must have one', async () => {
    const bed = await openBed(s3());
    const parts = [file.subarray(0, 6 * MiB)];
    const id = await tusdUpload(bed, { size, parts, tail: file.subarray(6 * MiB, 7 * MiB) });
    const store = bed.store({ provider: { ...s3Profiles.versitygw, equalParts: true } });
    await append(store, id, 7 * MiB, file.subarray(7 * MiB, 15 * MiB));
    const [Key = '', UploadId = ''] = id.split('+');
    const { Parts = [] } = await bed.direct.listParts({ Bucket: bed.bucket, Key, UploadId });
    expect(Parts.map(({ Size }) => Size)).toEqual([6 * MiB, 6 * MiB]);
    await completeFrom(store, id, file);
    expect((await bed.object(keyOf(id))).equals(file)).toBe(true);
  });

  it('was finished where its object is there and its multipart upload is not', async () => {
    const bed = await openBed(s3());
    const id = await tusdUpload(bed, { size: 5 * MiB, parts: [first] });
    const [Key = '', UploadId = ''] = id.split('+');
    const at = { Bucket: bed.bucket, Key, UploadId };
    const { Parts = [] } = await bed.direct.listParts(at);
    const completed = Parts.map(({ PartNumber = 0, ETag = '' }) => ({ PartNumber, ETag }));
    await bed.direct.completeMultipartUpload({ ...at, MultipartUpload: { Parts: completed } });
    const { offset, finish } = await infoIn(bed.store(), id);
    expect(offset).toBe(5 * MiB);
    expect(finish).toBeUndefined();
  });

  it('does not count a tail twice that a part has, and that a crash has left', async () => {
    const bed = await openBed(s3());
    const id = await tusdUpload(bed, {
      size,
      parts: [first],
      tail: file.subarray(5 * MiB, 6 * MiB),
    });
    bed.proxy.inject({ operation: 'DeleteObjects', times: Infinity }, async (exchange) => {
      await exchange.discardBody();
      exchange.answerError(400, 'Dead');
    });
    await append(bed.store(), id, 6 * MiB, file.subarray(6 * MiB, 11 * MiB));
    expect(await bed.keys()).toContain(`${keyOf(id)}.part`);
    expect((await infoIn(bed.freshStore(), id)).offset).toBe(11 * MiB);
    await completeFrom(bed.freshStore(), id, file);
    expect((await bed.object(keyOf(id))).equals(file)).toBe(true);
    expect(await bed.keys()).toEqual([keyOf(id), `${keyOf(id)}.info`]);
  });
});

it('keeps an upload as tusd would look for it', async () => {
  const bed = await openBed(s3());
  const store = bed.store({ objectPrefix: 'in/here' });
  const id = await newUpload(store, size);
  await append(store, id, 0, file.subarray(0, 10 * MiB));
  const [object = '', UploadId = ''] = id.split('+');
  const Key = `in/here/${object}`;
  const info: unknown = JSON.parse((await bed.object(`${Key}.info`)).toString());
  expect(info).toMatchObject({
    ID: id,
    Size: size,
    SizeIsDeferred: false,
    Storage: { Type: 's3store', Bucket: bed.bucket, Key },
  });
  const { Parts } = await bed.direct.listParts({ Bucket: bed.bucket, Key, UploadId });
  expect(Parts?.map(({ PartNumber }) => PartNumber)).toEqual([1, 2]);
});
