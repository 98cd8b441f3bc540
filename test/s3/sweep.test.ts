import { compose, createHandler, MemoryLocker } from 'tuskd';
import { describe, expect, it } from 'vitest';
import type { S3Store } from '../../dist/stores/s3/s3-store.js';
import { useS3 } from '../services/use-s3.js';
import { append, completeFrom, fileOf, keyOf, newUpload, openBed, plainDraft } from './s3-bed.js';

const s3 = useS3();
const count = 12;

async function expired(store: S3Store): Promise<string> {
  const { id } = await store.newUpload({ ...plainDraft, size: 100, expiresAt: 1 });
  await append(store, id, 0, fileOf(50));
  return id;
}

describe('sweeps of a bucket', () => {
  it('field 24 field 27: two at once remove what has expired, each once, and nothing else', async () => {
    const bed = await openBed(s3());
    const store = bed.store();
    await Promise.all(Array.from({ length: count }, () => expired(store)));
    const [finished, young] = [await newUpload(store, 50), await newUpload(store, 100)];
    await completeFrom(store, finished, fileOf(50));
    await append(store, young, 0, fileOf(50));
    const foreign = { Bucket: bed.bucket, Key: 'foreign' };
    await bed.direct.putObject({ ...foreign, Body: 'x' });
    await bed.direct.createMultipartUpload({ ...foreign, Key: 'foreign-multipart' });

    // As with Redis, the servers share their locks, and nothing else.
    const locker = new MemoryLocker();
    const sweeps = [bed.freshStore(), bed.freshStore()].map((core) =>
      createHandler({ backend: compose({ core, locker }), expireAfterMs: 3_600_000 }).sweep(),
    );
    const reports = await Promise.all(sweeps);
    expect(reports.map(({ failed }) => failed)).toEqual([0, 0]);
    expect(reports.reduce((sum, report) => sum + report.expired, 0)).toBe(count);

    const ids: string[] = [];
    for await (const { id } of store.list()) ids.push(id);
    expect(ids.sort()).toEqual([finished, young].sort());
    expect(await bed.keys()).toEqual(expect.arrayContaining(['foreign', keyOf(finished)]));
    // Those of the young upload and of the stranger.
    expect(await bed.multiparts()).toBe(2);
  });
});
