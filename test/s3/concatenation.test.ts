import { describe, expect, it } from 'vitest';
import { hold } from '../services/s3-faults.js';
import { useS3 } from '../services/use-s3.js';
import {
  completeFrom,
  fileOf,
  infoIn,
  keyOf,
  MiB,
  newUpload,
  openBed,
  sha256,
  type S3Bed,
} from './s3-bed.js';

const s3 = useS3();
const min = 5 * MiB;

/** Finished uploads that follow each other in the file. */
async function partUploads(bed: S3Bed, sizes: readonly number[]) {
  const store = bed.freshStore();
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const file = fileOf(total);
  let end = 0;
  const parts = [];
  for (const size of sizes) {
    const bytes = file.subarray(end, (end += size));
    const id = await newUpload(store, size);
    await completeFrom(store, id, bytes);
    parts.push(await infoIn(store, id));
  }
  return { parts, file, id: await newUpload(store, total) };
}

describe('a concatenation', () => {
  it.each([
    ['large parts', [6 * MiB, 7 * MiB, 8 * MiB], 3, 0],
    ['parts of just the minimum, and a small last one', [min, min, 1], 3, 0],
    ['parts just below the minimum', [min - 1, min - 1, min - 1], 1, 10 * MiB],
    ['one just above it', [min + 1, min - 1], 2, 0],
    ['a small one before a large one', [1, 16 * MiB], 1, 5 * MiB],
    ['a small one between large ones', [6 * MiB, 1, 16 * MiB], 2, 5 * MiB],
    ['many small ones', Array.from({ length: 40 }, () => 100_000), 0, 4_000_000],
    ['empty ones', [0, 6 * MiB, 0, 1, 0], 2, 0],
    ['nothing but empty ones', [0, 0], 0, 0],
  ])('copies what it can within S3: %s', async (_, sizes, copies, most) => {
    const bed = await openBed(s3());
    const { parts, file, id } = await partUploads(bed, sizes);
    const upload = await bed.store().getUpload(id);
    bed.proxy.forget();
    await upload.concat?.(parts);
    await upload.concat?.(parts);
    await upload.finish?.();
    expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
    expect(bed.proxy.total('UploadPartCopy').requests).toBe(copies);
    expect(bed.proxy.total('UploadPart').bodyBytes).toBeLessThanOrEqual(most);
    expect((await infoIn(bed.freshStore(), id)).offset).toBe(file.byteLength);
  });

  it('is not taken for complete before it is', async () => {
    const bed = await openBed(s3());
    const { parts, file, id } = await partUploads(bed, [6 * MiB, 7 * MiB, 8 * MiB, 3]);
    const held = hold();
    bed.proxy.inject({ operation: 'UploadPartCopy', partNumber: 2 }, held.fault);
    const filling = (await bed.store().getUpload(id)).concat?.(parts);
    await held.reached;
    // Those behind it may be there already.
    await expect.poll(() => bed.proxy.total('UploadPartCopy').requests).toBe(4);
    expect((await infoIn(bed.freshStore(), id)).offset).toBeLessThanOrEqual(6 * MiB);
    held.release();
    await filling;
    expect((await infoIn(bed.freshStore(), id)).offset).toBe(file.byteLength);
  });

  it('may share its parts with another one at the same time', async () => {
    const bed = await openBed(s3());
    const { parts, file, id } = await partUploads(bed, [6 * MiB, 1, 7 * MiB]);
    const ids = [id, await newUpload(bed.freshStore(), file.byteLength)];
    await Promise.all(
      ids.map(async (each) => {
        const upload = await bed.freshStore().getUpload(each);
        await upload.concat?.(parts);
        await upload.finish?.();
      }),
    );
    for (const each of ids) {
      expect(sha256(await bed.object(keyOf(each)))).toBe(sha256(file));
      await (await bed.freshStore().getUpload(each)).terminate?.();
    }
    for (const { id: part, offset } of parts) {
      expect((await bed.object(keyOf(part))).byteLength).toBe(offset);
    }
  });

  it.each([
    ['one that is copied', [6 * MiB, 7 * MiB, 8 * MiB], 'UploadPartCopy'],
    ['one that is read', [6 * MiB, 1, 1], 'GetObject'],
  ] as const)('says so where a part goes meanwhile: %s', async (_, sizes, operation) => {
    const bed = await openBed(s3());
    const { parts, id } = await partUploads(bed, sizes);
    const [, second] = parts;
    const upload = await bed.store().getUpload(id);
    const held = hold();
    bed.proxy.inject(
      operation === 'GetObject'
        ? { operation, key: (key) => key === keyOf(second?.id ?? '') }
        : { operation, partNumber: 2 },
      held.fault,
    );
    const filling = upload.concat?.(parts);
    await held.reached;
    await (await bed.freshStore().getUpload(second?.id ?? '')).terminate?.();
    held.release();
    await expect(filling).rejects.toMatchObject({ code: 'ERR_UPLOAD_NOT_FOUND' });
    const { offset, size = 0 } = await infoIn(bed.freshStore(), id);
    expect(offset).toBeLessThan(size);
    for (const each of [id, ...parts.map((part) => part.id)]) {
      const left = await bed
        .freshStore()
        .getUpload(each)
        .catch(() => undefined);
      await left?.terminate?.();
    }
    expect(await bed.keys()).toEqual([]);
    expect(await bed.multiparts()).toBe(0);
  });

  it('copies an object whose key has what means something in an address', async () => {
    const bed = await openBed(s3());
    const file = fileOf(6 * MiB);
    const placed = bed.freshStore({ placeObject: () => ({ key: 'a?b=1#c %41+d&e' }) });
    const { id: partId } = await placed.newUpload({
      metadata: {},
      isPartial: true,
      isFinal: false,
      parts: [],
      size: file.byteLength,
      finish: 'pending',
    });
    await completeFrom(placed, partId, file);
    const id = await newUpload(bed.store(), file.byteLength);
    const upload = await bed.store().getUpload(id);
    await upload.concat?.([await infoIn(bed.store(), partId)]);
    await upload.finish?.();
    expect((await bed.object(keyOf(id))).equals(file)).toBe(true);
  });
});
