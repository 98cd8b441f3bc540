import { expect, describe, it } from 'vitest';
import type { WriteOptions } from '../../dist/core/data-store.js';
import { hold } from '../services/s3-faults.js';
import type { S3FaultProxy } from '../services/s3-fault-proxy.js';
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
  otherFileOf,
  sha256,
  type S3Bed,
} from './s3-bed.js';

const s3 = useS3();
const size = 40 * MiB;
/** What the paused writer has, and what its successor has: mixing them shows. */
const [stale, file] = [otherFileOf(size), fileOf(size)];

/** Numbers of the parts that went through a proxy. */
function partNumbers({ log }: S3FaultProxy): Set<number | undefined> {
  return new Set(
    log.filter(({ call }) => call.operation === 'UploadPart').map(({ call }) => call.partNumber),
  );
}

/** Two writers of one upload, each with a proxy of its own; the first 6 MiB are the successor's file's already. */
async function twoWriters(bed: S3Bed, options: WriteOptions) {
  const other = await bed.anotherProxy();
  const [paused, successor] = [bed.store(), bed.store({ api: other.api })];
  const id = await newUpload(paused, size);
  await append(paused, id, 0, file.subarray(0, 6 * MiB), options);
  return { id, paused, successor, successorProxy: other.proxy };
}

describe.each([
  ['with fences', { fence: 1 }, { fence: 2 }, { fence: 3 }],
  ['without fences, by the mark of a writer', {}, {}, {}],
])('a writer that wakes up after its successor has taken over, %s', (_, first, old, fresh) => {
  it.each([
    ['a large one', 34 * MiB],
    ['a small one', MiB],
  ])('stores nothing that counts: parts held, then %s', async (_, bytes) => {
    const bed = await openBed(s3());
    const { id, paused, successor, successorProxy } = await twoWriters(bed, first);
    const held = hold();
    bed.proxy.inject({ operation: 'UploadPart', times: Infinity }, held.fault);
    bed.proxy.forget();
    const writing = append(paused, id, 6 * MiB, stale.subarray(6 * MiB, 30 * MiB), old);
    await held.reached;
    const next = file.subarray(6 * MiB, 6 * MiB + bytes);
    const { error } = await append(successor, id, 6 * MiB, next, fresh);
    expect(error).toBeUndefined();
    const acknowledged = 6 * MiB + bytes;
    held.release();
    const late = await writing;
    expect(late.error).toMatchObject({ code: 'ERR_LOCK_LOST' });
    expect((await infoIn(bed.freshStore(), id)).offset).toBe(acknowledged);
    await completeFrom(successor, id, file, fresh);
    expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
    const overtaken = partNumbers(bed.proxy);
    expect([...partNumbers(successorProxy)].filter((number) => overtaken.has(number))).toEqual([]);
  });
});

describe('a writer with an old fence that wakes up', () => {
  it.each([
    ['before it opens its session', (key: string) => key.endsWith('.info'), 24 * MiB],
    ['before it stores its piece', (key: string) => key.startsWith('.tuskd/'), 2 * MiB],
  ])('stores nothing that counts: %s', async (_, key, bytes) => {
    const bed = await openBed(s3());
    const { id, paused, successor, successorProxy } = await twoWriters(bed, { fence: 1 });
    const held = hold();
    bed.proxy.inject({ operation: 'PutObject', key, times: Infinity }, held.fault);
    bed.proxy.forget();
    const late = stale.subarray(6 * MiB, 6 * MiB + bytes);
    const writing = append(paused, id, 6 * MiB, late, { fence: 2 });
    await held.reached;
    const next = file.subarray(6 * MiB, 7 * MiB);
    await append(successor, id, 6 * MiB, next, { fence: 3 });
    held.release();
    await writing;
    expect((await infoIn(bed.freshStore(), id)).offset).toBe(7 * MiB);
    await completeFrom(successor, id, file, { fence: 3 });
    expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
    const overtaken = partNumbers(bed.proxy);
    expect([...partNumbers(successorProxy)].filter((number) => overtaken.has(number))).toEqual([]);
    expect(await bed.keys()).toEqual([keyOf(id), `${keyOf(id)}.info`]);
  });
});

it('goes on without fences where locks had them before', async () => {
  const bed = await openBed(s3());
  const store = bed.store();
  const id = await newUpload(store, 8 * MiB);
  await append(store, id, 0, file.subarray(0, 6 * MiB), { fence: 7 });
  await append(store, id, 6 * MiB, file.subarray(6 * MiB, 7 * MiB), { fence: 8 });
  await append(store, id, 7 * MiB, file.subarray(7 * MiB, 7.5 * MiB));
  expect((await infoIn(bed.freshStore(), id)).offset).toBe(7.5 * MiB);
});
