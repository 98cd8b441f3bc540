import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../dist/testing/memory-body.js';
import type { S3Store } from '../../dist/stores/s3/s3-store.js';
import { useS3 } from '../services/use-s3.js';
import { fatefulS3, type Fate } from './around-s3.js';
import {
  append,
  completeFrom,
  fileOf,
  infoIn,
  keyOf,
  MiB,
  newUpload,
  openBed,
  type S3Bed,
} from './s3-bed.js';
import { tusdUpload } from './tusd-upload.js';

const s3 = useS3();

/** What a process tells of its offsets. */
interface Teller {
  /** A client was told that so much is stored. */
  readonly acknowledge: (offset: number) => void;
  /** No more than so much may be taken for stored by now. */
  readonly limit: (offset: number) => void;
}

/** What a process does with an upload until it dies. */
interface Life {
  readonly file: Buffer;
  /** Makes the upload, in another process, and what it needs. */
  readonly prepare: (bed: S3Bed) => Promise<Scene>;
  readonly run: (scene: Scene, store: S3Store, teller: Teller) => Promise<void>;
}

interface Scene {
  readonly id: string;
  readonly offset: number;
  readonly partIds?: readonly string[];
}

/** Sends chunks of these sizes one after the other, each as a request of its own. */
function chunks(file: Buffer, ...sizes: readonly number[]): Life['run'] {
  return async ({ id, offset }, store, { acknowledge }) => {
    for (const size of sizes) {
      const { bytesWritten, error } = await append(
        store,
        id,
        offset,
        file.subarray(offset, offset + size),
      );
      offset += bytesWritten;
      acknowledge(offset);
      if (error !== undefined) throw error;
    }
    if (offset === file.byteLength) await (await store.getUpload(id)).finish?.();
  };
}

function uploadOf(size: number): Life['prepare'] {
  return async (bed) => ({ id: await newUpload(bed.freshStore(), size), offset: 0 });
}

const small = fileOf(7 * MiB);
const large = fileOf(12 * MiB);

const lives: Readonly<Record<string, Life>> = {
  'a piece, a part with it, the rest': {
    file: small,
    prepare: uploadOf(small.byteLength),
    run: chunks(small, MiB, 5 * MiB, MiB),
  },
  'several parts at once, and a finish': {
    file: large,
    prepare: uploadOf(large.byteLength),
    run: chunks(large, MiB, 11 * MiB),
  },
  'an upload of which tusd has left a tail': {
    file: small,
    prepare: async (bed) => {
      const id = await tusdUpload(bed, {
        size: small.byteLength,
        parts: [],
        tail: small.subarray(0, MiB),
      });
      return { id, offset: MiB };
    },
    run: chunks(small, 5 * MiB, MiB),
  },
  'a length that is declared at last': {
    file: small.subarray(0, MiB),
    prepare: async (bed) => ({ id: await newUpload(bed.freshStore(), undefined), offset: 0 }),
    async run({ id }, store, { acknowledge }) {
      const { bytesWritten } = await append(store, id, 0, small.subarray(0, MiB));
      acknowledge(bytesWritten);
      const upload = await store.getUpload(id);
      await upload.update({ size: MiB });
      await upload.finish?.();
    },
  },
  'nothing but a finish': {
    file: small.subarray(0, 0),
    prepare: uploadOf(0),
    run: async ({ id }, store) => (await store.getUpload(id)).finish?.(),
  },
  'chunks that are verified': {
    file: large,
    prepare: uploadOf(large.byteLength),
    run: verifiedChunks(large, ['commit', MiB], ['commit', 10 * MiB], ['commit', MiB]),
  },
  'chunks that turn out to be wrong': {
    file: small,
    prepare: uploadOf(small.byteLength),
    run: verifiedChunks(
      small,
      ['discard', 6 * MiB],
      ['commit', MiB],
      ['discard', 100],
      ['discard', 6 * MiB],
      ['commit', 6 * MiB],
    ),
  },
  'a chunk that counted, and is taken back': {
    file: small,
    prepare: uploadOf(small.byteLength),
    async run({ id }, store, { acknowledge }) {
      const writing = await append(store, id, 0, small.subarray(0, MiB));
      acknowledge(writing.bytesWritten);
      for (const end of [7 * MiB, 2 * MiB]) {
        const upload = await store.getUpload(id);
        const { error } = await upload.writeChunk(MiB, bodyOf(small.subarray(MiB, end)));
        if (error !== undefined) throw error;
        await upload.discardChunk?.();
        expect((await upload.getInfo()).offset).toBe(MiB);
      }
      await completeFrom(store, id, small);
    },
  },
  'a concatenation': {
    file: small,
    async prepare(bed) {
      const store = bed.freshStore();
      const partIds: string[] = [];
      for (const part of [small.subarray(0, 6 * MiB), small.subarray(6 * MiB)]) {
        const id = await newUpload(store, part.byteLength);
        await completeFrom(store, id, part);
        partIds.push(id);
      }
      return { id: await newUpload(store, small.byteLength), offset: 0, partIds };
    },
    run: concatenate,
  },
};

/** Sends chunks whose bytes are right, and are committed, or wrong, and are discarded. */
function verifiedChunks(
  file: Buffer,
  ...chunks: readonly (readonly ['commit' | 'discard', number])[]
): Life['run'] {
  return async ({ id, offset }, store, { acknowledge, limit }) => {
    for (const [what, size] of chunks) {
      limit(offset);
      const upload = await store.getUpload(id);
      const right = file.subarray(offset, offset + size);
      const bytes = what === 'commit' ? right : right.map((byte) => byte ^ 0xff);
      const { error } = await upload.writeChunk(offset, bodyOf(bytes), { provisional: true });
      if (error !== undefined) throw error;
      if (what === 'commit') limit((offset += size));
      await (what === 'commit' ? upload.commitChunk?.() : upload.discardChunk?.());
      acknowledge(offset);
    }
    if (offset === file.byteLength) await (await store.getUpload(id)).finish?.();
  };
}

async function concatenate({ id, partIds = [] }: Scene, store: S3Store): Promise<void> {
  const parts = await Promise.all(partIds.map((partId) => infoIn(store, partId)));
  const upload = await store.getUpload(id);
  await upload.concat?.(parts);
  await upload.finish?.();
}

describe.each(Object.entries(lives))('field 18: %s', (_, life) => {
  it('is right whenever the process dies', { timeout: 60_000 }, async () => {
    const bed = await openBed(s3());
    const { calls } = await live(bed, life, { call: Infinity, what: 'death' });
    for (let call = 1; call <= calls; call++) {
      const fate: Fate = { call, what: 'death' };
      await expect(live(bed, life, fate), `death before call ${call}`).resolves.toMatchObject({
        failed: true,
      });
    }
  });

  it('is right whichever answer is lost', { timeout: 60_000 }, async () => {
    const bed = await openBed(s3());
    const { calls } = await live(bed, life, { call: Infinity, what: 'death' });
    for (let call = 1; call <= calls; call++) {
      const fate: Fate = { call, what: 'lost answer' };
      await expect(live(bed, life, fate), `lost answer of call ${call}`).resolves.toMatchObject({
        failed: false,
      });
    }
  });
});

/** Lets a process have its fate, and another look and go on. Rejects where anything is not as it must be. */
async function live(bed: S3Bed, { file, prepare, run }: Life, fate: Fate) {
  const scene = await prepare(bed);
  const fateful = fatefulS3(bed.direct, fate);
  let acknowledged = scene.offset;
  let limit = file.byteLength;
  const failed = await run(scene, bed.freshStore({ api: fateful.api }), {
    acknowledge(offset) {
      expect(offset).toBeGreaterThanOrEqual(acknowledged);
      acknowledged = offset;
    },
    limit: (offset) => void (limit = offset),
  }).then(
    () => false,
    () => true,
  );
  const calls = fateful.calls();

  const store = bed.freshStore();
  const { offset } = await infoIn(store, scene.id);
  expect(offset).toBeGreaterThanOrEqual(acknowledged);
  expect(offset).toBeLessThanOrEqual(limit);
  if (failed && scene.partIds === undefined) await goOn(bed, scene.id, offset, file);
  else if (failed) await concatenate(scene, store);
  await assertWhole(bed, scene, file);
  return { calls, failed };
}

/** One small chunk, then all that is missing. */
async function goOn(bed: S3Bed, id: string, offset: number, file: Buffer): Promise<void> {
  const store = bed.freshStore();
  const next = Math.min(offset + MiB, file.byteLength);
  if ((await infoIn(store, id)).size === undefined)
    await (await store.getUpload(id)).update({ size: file.byteLength });
  if (offset < next) await append(store, id, offset, file.subarray(offset, next));
  expect((await infoIn(bed.freshStore(), id)).offset).toBe(next);
  await completeFrom(bed.freshStore(), id, file);
}

async function assertWhole(bed: S3Bed, { id, partIds = [] }: Scene, file: Buffer): Promise<void> {
  const info = await infoIn(bed.freshStore(), id);
  expect(info.offset).toBe(file.byteLength);
  expect((await bed.object(keyOf(id))).equals(file)).toBe(true);
  const own = [id, ...partIds].flatMap((each) => [keyOf(each), `${keyOf(each)}.info`]).sort();
  expect(await bed.keys()).toEqual(own);
  expect(await bed.multiparts()).toBe(0);
  for (const each of [id, ...partIds]) await (await bed.freshStore().getUpload(each)).terminate?.();
  expect(await bed.keys()).toEqual([]);
}
