import { describe, expect, it } from 'vitest';
import { newPieceKey, objectKeys } from '../../dist/stores/s3/object-keys.js';
import { draft } from '../../dist/testing/data-store/fixtures.js';
import { bodyOf } from '../../dist/testing/memory-body.js';
import { useS3 } from '../services/use-s3.js';
import { fail } from '../services/s3-faults.js';
import { fileOf, MiB, openBed } from './s3-bed.js';

const server = useS3();

describe('a piece of a writer that was overtaken', () => {
  it('counts for nothing where it begins behind the parts of a successor that died', async () => {
    const bed = await openBed(server());
    const made = await bed.store().newUpload(draft({ size: 30 * MiB }));
    // Its session is opened and never closed: the second record that it writes is refused.
    const isInfo = (key: string): boolean => key.endsWith('.info');
    bed.proxy.inject(
      { operation: 'PutObject', key: isInfo, nth: 2, times: Infinity },
      fail(403, 'AccessDenied'),
    );
    const successor = await bed.store().getUpload(made.id);
    const chunk = bodyOf(fileOf(12 * MiB));
    const { bytesWritten } = await successor.writeChunk(0, chunk, { fence: 3 });
    expect(bytesWritten).toBe(12 * MiB);

    const { folder } = objectKeys(bed.bucket, '', made.id);
    const late = { start: 12 * MiB, size: 5, fence: 2, time: Date.now(), isDraft: false };
    await bed.direct.putObject({
      Bucket: bed.bucket,
      Key: newPieceKey(folder, late),
      Body: 'stale',
    });
    const offset = async (): Promise<number> =>
      (await (await bed.freshStore().getUpload(made.id)).getInfo()).offset;
    expect(await offset()).toBe(12 * MiB);

    const own = { ...late, size: 3, fence: 3 };
    await bed.direct.putObject({ Bucket: bed.bucket, Key: newPieceKey(folder, own), Body: 'own' });
    expect(await offset()).toBe(12 * MiB + 3);
    const next = await bed.freshStore().getUpload(made.id);
    expect(await next.writeChunk(12 * MiB + 3, bodyOf(fileOf(7)), { fence: 4 })).toEqual({
      bytesWritten: 7,
    });
    expect(await offset()).toBe(12 * MiB + 10);
  });
});

describe('a list that S3 gives in pages', () => {
  it('is never taken for whole where the next page cannot be asked for', async () => {
    const bed = await openBed(server());
    const { id } = await bed.freshStore().newUpload(draft({ size: 30 * MiB }));
    const api = Object.create(bed.direct, {
      listParts: { value: async () => ({ Parts: [], IsTruncated: true }) },
    });
    await expect(bed.freshStore({ api, attempts: 1 }).getUpload(id)).rejects.toThrow('go on');
  });
});
