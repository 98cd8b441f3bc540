import assert from 'node:assert/strict';
import type { Upload } from '../../core/data-store.js';
import { MemoryBody } from '../memory-body.js';
import { append, assertBytes, assertStored, infoOf, settled } from './assertions.js';
import { KiB, arraysAt, create, seededRandom } from './fixtures.js';
import type { Suite, Trial } from './suite.js';

const steps = 40;
/** More than the steps can write, so that the upload never is full. */
const size = steps * 100 * KiB;

/** What an upload is known to hold, and the handle that is in use. */
interface Walk {
  readonly trial: Trial;
  readonly random: (below: number) => number;
  upload: Upload;
  offset: number;
}

export function defineRandomWalk(suite: Suite): void {
  suite.theme('a random sequence of requests', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      suite.test(`never takes a byte back (seed ${seed})`, async (trial) => {
        const { capabilities } = suite;
        const random = seededRandom(seed);
        const upload = await create(trial, { size });
        const walk: Walk = {
          trial,
          upload,
          offset: 0,
          random: (below) => Math.floor(random() * below),
        };
        const moves = [write, write, disconnect, stop, abandon, change, useAnotherInstance];
        if (capabilities.provisionalChunks) moves.push(commit, discard);
        // A store that cannot read before the end would have to finish the upload for it.
        if (capabilities.reading && !capabilities.finishing) moves.push(read);
        for (let step = 0; step < steps; step++) {
          await moves[walk.random(moves.length)]?.(walk);
          const { offset } = await infoOf(trial, upload.id);
          assert.equal(offset, walk.offset, `after step ${step}`);
        }
        await assertStored(trial, upload.id, walk.offset);
      });
    }
  });
}

async function write(walk: Walk): Promise<void> {
  await append(walk.upload, walk.offset, walk.random(100 * KiB));
  walk.offset = await offsetOf(walk);
}

async function disconnect(walk: Walk): Promise<void> {
  const body = randomBody(walk, { end: 'disconnected', endAfterBytes: walk.random(50 * KiB) });
  await count(walk, await walk.upload.writeChunk(walk.offset, body));
}

async function stop(walk: Walk): Promise<void> {
  const body = randomBody(walk, { stall: true });
  const writing = walk.upload.writeChunk(walk.offset, body);
  await body.drained;
  body.stop('interrupted');
  await count(walk, await writing);
}

async function abandon(walk: Walk): Promise<void> {
  const controller = new AbortController();
  const body = randomBody(walk, { stall: true });
  const { signal } = controller;
  const writing = settled(walk.upload.writeChunk(walk.offset, body, { signal }));
  if (walk.random(2) === 0) await body.drained;
  body.stop('abandoned');
  controller.abort(new Error('abandoned'));
  await writing;
  // The handle may remember what was before.
  walk.upload = await walk.trial.store.getUpload(walk.upload.id);
  const offset = await offsetOf(walk);
  assert.ok(offset >= walk.offset, `the offset went from ${walk.offset} to ${offset}`);
  walk.offset = offset;
}

async function commit(walk: Walk): Promise<void> {
  const body = randomBody(walk, {});
  const result = await walk.upload.writeChunk(walk.offset, body, { provisional: true });
  await walk.upload.commitChunk?.();
  await count(walk, result);
}

async function discard(walk: Walk): Promise<void> {
  await walk.upload.writeChunk(walk.offset, randomBody(walk, {}), { provisional: true });
  await walk.upload.discardChunk?.();
}

async function change(walk: Walk): Promise<void> {
  await walk.upload.update({ expiresAt: walk.random(1e9) });
}

async function useAnotherInstance(walk: Walk): Promise<void> {
  walk.upload = await (await walk.trial.reopen()).getUpload(walk.upload.id);
}

async function read(walk: Walk): Promise<void> {
  const end = walk.random(walk.offset + 1);
  const range = { start: walk.random(end + 1), end };
  await assertBytes(walk.trial.store, await walk.trial.store.getUpload(walk.upload.id), range);
}

async function count(
  walk: Walk,
  result: { readonly bytesWritten: number; readonly error?: unknown },
): Promise<void> {
  assert.equal(result.error, undefined);
  walk.offset += result.bytesWritten;
}

async function offsetOf(walk: Walk): Promise<number> {
  return (await infoOf(walk.trial, walk.upload.id)).offset;
}

function randomBody(walk: Walk, options: ConstructorParameters<typeof MemoryBody>[1]): MemoryBody {
  const arrays = arraysAt(walk.offset, walk.random(60 * KiB), 1 + walk.random(20 * KiB));
  return new MemoryBody(
    [...arrays].map((array) => [array]),
    options,
  );
}
