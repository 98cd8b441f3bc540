import { expect, describe, it } from 'vitest';
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
async function twoWriters(bed: S3Bed) {
  const other = await bed.anotherProxy();
  const [paused, successor] = [bed.store(), bed.store({ api: other.api })];
  const id = await newUpload(paused, size);
  await append(paused, id, 0, file.subarray(0, 6 * MiB), { fence: 1 });
  return { id, paused, successor, successorProxy: other.proxy };
}

describe.each([
  ['with fences', { fence: 2 }, { fence: 3 }],
  ['without fences, by the mark of a writer', {}, {}],
])('a writer that wakes up after its successor has taken over, %s', (_, old, fresh) => {
  it.each([
    ['a large one', 34 * MiB],
    ['a small one', MiB],
  ])('stores nothing that counts: parts held, then %s', async (_, bytes) => {
    const bed = await openBed(s3());
    const { id, paused, successor, successorProxy } = await twoWriters(bed);
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
    const common = partNumbers(bed.proxy).intersection(partNumbers(successorProxy));
    expect(common.size).toBe(0);
  });
});
