import { describe, expect, it } from 'vitest';
import type { Upload, WriteOptions } from '../../dist/core/data-store.js';
import { bodyOf, MemoryBody } from '../../dist/testing/memory-body.js';
import type { S3Store } from '../../dist/stores/s3/s3-store.js';
import { fail, hold } from '../services/s3-faults.js';
import { useS3 } from '../services/use-s3.js';
import { aroundS3 } from './around-s3.js';
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
  type S3Bed,
  sha256,
} from './s3-bed.js';

const s3 = useS3();
const KiB = 1024;
const size = 16 * MiB;
/** What is verified, and what turns out to be wrong. */
const [file, wrong] = [fileOf(size), otherFileOf(size)];

/** Stores bytes that do not count yet, and resolves with the handle that decides on them. */
async function write(
  store: S3Store,
  id: string,
  [start, end]: readonly [number, number],
  bytes = file,
  options: WriteOptions = {},
): Promise<Upload> {
  const upload = await store.getUpload(id);
  const body = bodyOf(bytes.subarray(start, end));
  const result = await upload.writeChunk(start, body, { ...options, provisional: true });
  expect(result).toEqual({ bytesWritten: end - start });
  return upload;
}

async function offsetOf(bed: S3Bed, id: string): Promise<number> {
  return (await infoIn(bed.freshStore(), id)).offset;
}

async function assertWhole(bed: S3Bed, id: string): Promise<void> {
  await completeFrom(bed.freshStore(), id, file);
  expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
  expect(await bed.keys()).toEqual([keyOf(id), `${keyOf(id)}.info`]);
}

interface Meeting {
  /** What is there when the reader begins. */
  readonly before: (bed: S3Bed, id: string) => Promise<Upload | undefined>;
  /** What somebody else does while it looks. */
  readonly meanwhile: (bed: S3Bed, id: string, upload: Upload | undefined) => Promise<unknown>;
  /** What the reader may see, in MiB. */
  readonly offsets: readonly number[];
}

async function oneMiB(bed: S3Bed, id: string): Promise<undefined> {
  await append(bed.freshStore(), id, 0, file.subarray(0, MiB));
  return undefined;
}

async function unfinishedChunk(bed: S3Bed, id: string): Promise<Upload> {
  await oneMiB(bed, id);
  return write(bed.freshStore(), id, [MiB, 7 * MiB]);
}

async function committedChunk(bed: S3Bed, id: string): Promise<undefined> {
  await (await unfinishedChunk(bed, id)).commitChunk?.();
  return undefined;
}

const meetings: Readonly<Record<string, Meeting>> = {
  'a chunk that is not verified': {
    before: oneMiB,
    meanwhile: (bed, id) => write(bed.freshStore(), id, [MiB, 8 * MiB], wrong),
    offsets: [1],
  },
  'one that is committed': {
    before: oneMiB,
    meanwhile: async (bed, id) =>
      (await write(bed.freshStore(), id, [MiB, 7 * MiB])).commitChunk?.(),
    offsets: [1, 7],
  },
  'one that is committed, and the next': {
    before: oneMiB,
    async meanwhile(bed, id) {
      await (await write(bed.freshStore(), id, [MiB, 7 * MiB])).commitChunk?.();
      await append(bed.freshStore(), id, 7 * MiB, file.subarray(7 * MiB, 8 * MiB));
      await append(bed.freshStore(), id, 8 * MiB, file.subarray(8 * MiB, 14 * MiB));
      await append(bed.freshStore(), id, 14 * MiB, file.subarray(14 * MiB, 15 * MiB));
    },
    offsets: [1, 7, 8, 14, 15],
  },
  'a commit': {
    before: unfinishedChunk,
    meanwhile: async (_bed, _id, upload) => upload?.commitChunk?.(),
    offsets: [1, 7],
  },
  'a chunk that is discarded, and the next': {
    before: unfinishedChunk,
    async meanwhile(bed, id, upload) {
      await upload?.discardChunk?.();
      await write(bed.freshStore(), id, [MiB, 9 * MiB], wrong);
    },
    offsets: [1],
  },
  'the end of a plain chunk, and one that is not verified': {
    before: committedChunk,
    async meanwhile(bed, id) {
      await append(bed.freshStore(), id, 7 * MiB, file.subarray(7 * MiB, 13 * MiB));
      await write(bed.freshStore(), id, [13 * MiB, size], wrong);
    },
    offsets: [7, 13],
  },
  'the successor of a plain writer that died': {
    async before(bed, id) {
      const isInfo = (key: string): boolean => key.endsWith('.info');
      const dead = fail(400, 'Dead');
      const death = { operation: 'PutObject', key: isInfo, nth: 2, times: 9 } as const;
      const revive = bed.proxy.inject(death, dead);
      await append(bed.store(), id, 0, file.subarray(0, 6 * MiB));
      revive();
      return undefined;
    },
    meanwhile: (bed, id) => write(bed.freshStore(), id, [6 * MiB, 12 * MiB], wrong),
    offsets: [6],
  },
};

describe.each(Object.entries(meetings))('a reader that meets %s', (_, meeting) => {
  it('sees what is verified, at whichever of its calls', { timeout: 60_000 }, async () => {
    const bed = await openBed(s3());
    for (let call = 1, calls = Infinity; call <= calls; call++) {
      const id = await newUpload(bed.freshStore(), size);
      const upload = await meeting.before(bed, id);
      let [made, isOver] = [0, false];
      const api = aroundS3(bed.direct, async (_operation, run) => {
        made++;
        if (made === call) {
          await meeting.meanwhile(bed, id, upload);
          isOver = true;
        }
        return run();
      });
      const { offset } = await infoIn(bed.freshStore({ api }), id);
      expect(meeting.offsets, `at call ${call}`).toContain(offset / MiB);
      if (!isOver) calls = made;
    }
  });
});

describe('a provisional chunk', () => {
  it.each([
    ['small ones', 64 * KiB, 6 * MiB, 2.02],
    ['a part each', 5 * MiB, 16 * MiB, 1.05],
    ['more than a part each', 5.5 * MiB, 16 * MiB, 1.05],
    ['several parts', 16 * MiB, 16 * MiB, 1.05],
  ])('costs S3 what a plain one costs: %s', { timeout: 60_000 }, async (_, chunk, total, most) => {
    const bed = await openBed(s3());
    const whole = file.subarray(0, total);
    const send = async (provisional: boolean) => {
      const store = bed.store();
      const id = await newUpload(store, total);
      bed.proxy.forget();
      for (let offset = 0; offset < total; offset += chunk) {
        const upload = await store.getUpload(id);
        const body = bodyOf(whole.subarray(offset, offset + chunk));
        await upload.writeChunk(offset, body, { provisional });
        await upload.commitChunk?.();
      }
      await (await store.getUpload(id)).finish?.();
      expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(whole));
      return bed.proxy.total();
    };
    const plain = await send(false);
    const provisional = await send(true);
    expect(provisional.requests).toBe(plain.requests);
    expect(provisional.bodyBytes / total).toBeLessThanOrEqual(most);
  });

  it('is sent while it arrives, in several parts at once', async () => {
    const bed = await openBed(s3());
    const upload = await bed.store().getUpload(await newUpload(bed.freshStore(), 2 * size));
    const held = [1, 2].map((partNumber) => {
      const part = hold();
      bed.proxy.inject({ operation: 'UploadPart', partNumber }, part.fault);
      return part;
    });
    const body = new MemoryBody([[file]], { stall: true });
    const writing = upload.writeChunk(0, body, { provisional: true });
    await Promise.all(held.map(({ reached }) => reached));
    for (const part of held) part.release();
    body.stop('interrupted');
    expect(await writing).toEqual({ bytesWritten: size });
    await upload.commitChunk?.();
    expect(await offsetOf(bed, upload.id)).toBe(size);
  });

  it('does not make the record longer, however often it is discarded', async () => {
    const bed = await openBed(s3());
    const id = await newUpload(bed.freshStore(), size);
    await append(bed.freshStore(), id, 0, file.subarray(0, MiB));
    const before = (await bed.object(`${keyOf(id)}.info`)).byteLength;
    for (let round = 0; round < 10; round++) {
      await (await write(bed.freshStore(), id, [MiB, 7 * MiB], wrong)).discardChunk?.();
      expect(await offsetOf(bed, id)).toBe(MiB);
    }
    expect((await bed.object(`${keyOf(id)}.info`)).byteLength).toBeLessThan(before + 200);
    await assertWhole(bed, id);
  });

  it.each(['commit', 'discard'] as const)(
    'gives its memory back where others need it, and is none the less whole: %s',
    async (what) => {
      const bed = await openBed(s3());
      // Room for two parts, which two silent clients take.
      const store = bed.freshStore({ maxBufferedBytes: 10 * MiB });
      const silent = await Promise.all(
        [3 * MiB, 4 * MiB].map(async (length) => {
          const id = await newUpload(store, size);
          await append(store, id, 0, file.subarray(0, 100));
          const upload = await store.getUpload(id);
          const body = new MemoryBody([[file.subarray(100, length)]], { stall: true });
          const writing = upload.writeChunk(100, body, { provisional: true });
          await body.drained;
          return { upload, body, writing, length };
        }),
      );
      const other = await newUpload(store, size);
      expect(await append(store, other, 0, file)).toEqual({ bytesWritten: size });
      for (const { upload, body, writing, length } of silent) {
        expect(await offsetOf(bed, upload.id)).toBe(100);
        body.stop('interrupted');
        expect(await writing).toEqual({ bytesWritten: length - 100 });
        expect(await offsetOf(bed, upload.id)).toBe(100);
        if (what === 'commit') await upload.commitChunk?.();
        else await upload.discardChunk?.();
        expect(await offsetOf(bed, upload.id)).toBe(what === 'commit' ? length : 100);
      }
      await (await store.getUpload(other)).terminate?.();
      for (const { upload } of silent) {
        await completeFrom(store, upload.id, file);
        expect(sha256(await bed.object(keyOf(upload.id)))).toBe(sha256(file));
        await upload.terminate?.();
      }
      expect(await bed.keys()).toEqual([]);
    },
  );

  it('keeps no memory, whatever becomes of it', async () => {
    const bed = await openBed(s3());
    // Each takes half of it: what any of them kept would let the next wait for ever.
    const store = bed.store({ maxBufferedBytes: 10 * MiB, attempts: 1 });
    const refused = fail(403, 'AccessDenied');
    const ends = ['commit', 'discard', 'another', 'terminate', 'failure', 'refusal', 'nothing'];
    for (const end of [...ends, 'loss']) {
      const id = await newUpload(store, size);
      if (end === 'failure') bed.proxy.inject({ operation: 'UploadPart' }, refused);
      const upload = await store.getUpload(id);
      const body = bodyOf(file.subarray(0, end === 'failure' ? 8 * MiB : 4 * MiB));
      const controller = new AbortController();
      const options = { provisional: true, signal: controller.signal };
      const { bytesWritten } = await upload.writeChunk(0, body, options);
      if (end === 'loss') controller.abort(new Error('the lock was lost'));
      expect(bytesWritten).toBe(end === 'failure' ? 0 : 4 * MiB);
      if (end === 'refusal') bed.proxy.inject({ operation: 'PutObject' }, refused);
      const committing = upload.commitChunk?.bind(upload);
      if (end === 'commit') await committing?.();
      if (end === 'refusal') await expect(committing?.()).rejects.toThrow();
      if (end === 'discard') await upload.discardChunk?.();
      if (end === 'terminate') await upload.terminate?.();
      if (end === 'another') await append(store, id, 0, file.subarray(0, 10));
      if (end === 'another') await upload.writeChunk(10, bodyOf(file.subarray(10, 20)));
    }
    const [one, two] = [await newUpload(store, size), await newUpload(store, size)];
    const both = [one, two].map((id) => append(store, id, 0, file));
    expect(await Promise.all(both)).toEqual([{ bytesWritten: size }, { bytesWritten: size }]);
  });

  it('counts no more once its writer was overtaken', async () => {
    const bed = await openBed(s3());
    const id = await newUpload(bed.freshStore(), size);
    await append(bed.freshStore(), id, 0, file.subarray(0, MiB), { fence: 1 });
    for (const end of [7 * MiB, 2 * MiB]) {
      const late = await write(bed.freshStore(), id, [MiB, end], wrong, { fence: 2 });
      await (await bed.freshStore().getUpload(id)).update({}, { fence: 3 });
      const next = await write(bed.freshStore(), id, [MiB, 2 * MiB], file, { fence: 3 });
      await expect(late.commitChunk?.({ fence: 2 })).rejects.toMatchObject({
        code: 'ERR_LOCK_LOST',
      });
      expect(await offsetOf(bed, id)).toBe(MiB);
      await next.discardChunk?.({ fence: 3 });
      await (await bed.freshStore().getUpload(id)).update({}, { fence: 3 });
      if (end === 7 * MiB) break;
    }
    await completeFrom(bed.freshStore(), id, file, { fence: 3 });
    expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
  });

  it('of a writer that died does not become part of what is finished without it', async () => {
    const bed = await openBed(s3());
    for (const before of [0, 100, 6 * MiB]) {
      const id = await newUpload(bed.freshStore(), undefined);
      if (before > 0) await append(bed.freshStore(), id, 0, file.subarray(0, before));
      const chunk = [before, before + 6 * MiB] as const;
      await (await write(bed.freshStore(), id, chunk, wrong)).discardChunk?.();
      await write(bed.freshStore(), id, chunk, wrong);
      const upload = await bed.freshStore().getUpload(id);
      await upload.update({ size: before });
      await upload.finish?.();
      expect((await bed.object(keyOf(id))).equals(file.subarray(0, before))).toBe(true);
    }
  });

  it('that was discarded does not, either', async () => {
    const bed = await openBed(s3());
    for (const before of [0, 100, 6 * MiB]) {
      const id = await newUpload(bed.freshStore(), undefined);
      if (before > 0) await append(bed.freshStore(), id, 0, file.subarray(0, before));
      const chunk = await write(bed.freshStore(), id, [before, before + 6 * MiB], wrong);
      await chunk.discardChunk?.();
      const upload = await bed.freshStore().getUpload(id);
      await upload.update({ size: before });
      await upload.finish?.();
      expect((await bed.object(keyOf(id))).equals(file.subarray(0, before))).toBe(true);
    }
  });
});

describe('a chunk that counted, and is discarded', () => {
  it.each([
    ['with parts', 0, 10 * MiB],
    ['with parts behind a tail', MiB, 12 * MiB],
    ['that was too small for a part', MiB, 2 * MiB],
    ['that was the last', MiB, size],
    ['with parts behind parts', 6 * MiB, size - 1],
  ])('is as if it had never been: %s', async (_, start, end) => {
    const bed = await openBed(s3());
    const store = bed.freshStore();
    const id = await newUpload(store, size);
    if (start > 0) await append(store, id, 0, file.subarray(0, start));
    for (let round = 0; round < 3; round++) {
      const upload = await store.getUpload(id);
      await upload.writeChunk(start, bodyOf(wrong.subarray(start, end)));
      expect(await offsetOf(bed, id)).toBe(end);
      await upload.discardChunk?.();
      expect(await offsetOf(bed, id)).toBe(start);
    }
    await assertWhole(bed, id);
  });

  it('stays where a later lock has built on it', async () => {
    const bed = await openBed(s3());
    for (const end of [2 * MiB, 7 * MiB]) {
      const id = await newUpload(bed.freshStore(), size);
      const upload = await bed.freshStore().getUpload(id);
      await upload.writeChunk(0, bodyOf(file.subarray(0, end)), { fence: 1 });
      await append(bed.freshStore(), id, end, file.subarray(end, end + 5), { fence: 2 });
      await expect(upload.discardChunk?.({ fence: 1 })).rejects.toMatchObject({
        code: 'ERR_LOCK_LOST',
      });
      expect(await offsetOf(bed, id)).toBe(end + 5);
    }
  });
});
