import assert from 'node:assert/strict';
import type { BodyEnd } from '../../core/body.js';
import type { Upload, WriteResult } from '../../core/data-store.js';
import { MemoryBody, bodyOf } from '../memory-body.js';
import { append, assertCode, assertStored, assertWritten, infoOf, settled } from './assertions.js';
import { KiB, MiB, arraysAt, bytesAt, create } from './fixtures.js';
import type { Suite, Trial } from './suite.js';

const ends: readonly BodyEnd[] = ['disconnected', 'interrupted', 'idle', 'shutdown', 'too-large'];
const cuts = [0, 1, 1023, 64 * KiB, 64 * KiB + 1, MiB + 3];

export function defineInterruption(suite: Suite): void {
  suite.theme('interruption', () => {
    for (const end of ends) {
      suite.test(`keeps what came before a body was ${end}`, async (trial) => {
        const upload = await create(trial, { size: 3000 });
        await append(upload, 0, 500);
        const body = new MemoryBody(batches(500, 2500), { end, endAfterBytes: 1111 });
        assertWritten(await upload.writeChunk(500, body), 1111);
        await assertStored(trial, upload.id, 1611);
      });
    }

    for (const endAfterBytes of cuts) {
      suite.test(`keeps the ${endAfterBytes} bytes before a connection was lost`, async (trial) => {
        const upload = await create(trial, { size: 2 * MiB });
        const body = new MemoryBody(batches(0, 2 * MiB), { end: 'disconnected', endAfterBytes });
        assertWritten(await upload.writeChunk(0, body), endAfterBytes);
        await assertStored(trial, upload.id, endAfterBytes);
      });
    }

    suite.test(
      'keeps what came when a silent body is stopped, and goes on from there',
      async (trial) => {
        const upload = await create(trial, { size: 200 * KiB });
        const body = new MemoryBody(batches(0, 100 * KiB + 7), { stall: true });
        const writing = upload.writeChunk(0, body);
        await body.drained;
        body.stop('interrupted');
        assertWritten(await writing, 100 * KiB + 7);
        const again = await trial.store.getUpload(upload.id);
        await append(again, 100 * KiB + 7, 50 * KiB);
        await assertStored(trial, upload.id, 150 * KiB + 7);
      },
    );

    for (const before of [0, 700]) {
      suite.test(
        `ends soon when a write at ${before} is aborted, and counts nothing too much`,
        async (trial) => {
          const upload = await create(trial, { size: 300 * KiB });
          await append(upload, 0, before);
          const controller = new AbortController();
          const body = new MemoryBody(batches(before, 100 * KiB), { stall: true });
          const writing = upload.writeChunk(before, body, { signal: controller.signal });
          await body.drained;
          body.stop('abandoned');
          controller.abort(new Error('the lock was lost'));
          await assertAbandoned(trial, upload, before, writing, 100 * KiB);
        },
      );
    }

    suite.test('stores nothing when the work was given up before', async (trial) => {
      const upload = await create(trial, { size: 1000 });
      await append(upload, 0, 10);
      const signal = AbortSignal.abort(new Error('too late'));
      const body = bodyOf(bytesAt(10, 990));
      body.stop('abandoned');
      const writing = upload.writeChunk(10, body, { signal });
      await assertAbandoned(trial, upload, 10, writing, 0);
    });

    suite.test('is not disturbed by a signal that fires after the write', async (trial) => {
      const upload = await create(trial, { size: 20 });
      const controller = new AbortController();
      await append(upload, 0, 10, { signal: controller.signal });
      controller.abort(new Error('nobody listens'));
      await append(upload, 10, 10);
      await assertStored(trial, upload.id, 20);
    });

    if (suite.openWithRoom) defineFull(suite, suite.openWithRoom);
  });
}

function defineFull(suite: Suite, openWithRoom: NonNullable<Suite['openWithRoom']>): void {
  suite.test(
    'keeps the bytes that fit when the store is full',
    async (trial) => {
      const upload = await create(trial, { size: 2 * MiB });
      const body = new MemoryBody(batches(0, 2 * MiB));
      const result = await upload.writeChunk(0, body);
      assertCode(result.error, 'ERR_STORAGE_FULL');
      assert.ok(result.bytesWritten <= MiB, 'no more than there is room for');
      assert.ok(result.bytesWritten > 0, 'the bytes that fit');
      assert.equal((await infoOf(trial, upload.id)).offset, result.bytesWritten);
      await assertFull(upload, result.bytesWritten);
      if (!upload.terminate) return;
      await upload.terminate();
      const next = await create(trial, { size: MiB / 2 });
      await append(next, 0, MiB / 2);
      await assertStored(trial, next.id, MiB / 2);
    },
    () => openWithRoom(MiB),
  );
}

/** Also a write that stores nothing at all says why, by its result or by throwing. */
async function assertFull(upload: Upload, offset: number): Promise<void> {
  const attempt = upload.writeChunk(offset, bodyOf(bytesAt(offset, MiB)));
  const result = await attempt.catch((error: unknown) => ({ bytesWritten: 0, error }));
  assertCode(result.error, 'ERR_STORAGE_FULL');
}

/** What was stored before the abort may count or not; what is counted must be there, and writing goes on behind it. */
async function assertAbandoned(
  trial: Trial,
  upload: Upload,
  before: number,
  writing: Promise<WriteResult>,
  sent: number,
): Promise<void> {
  const outcome = await settled(writing);
  const { offset } = await infoOf(trial, upload.id);
  if (outcome.status === 'rejected') {
    assert.equal(offset, before, 'a write that throws has stored nothing');
  } else {
    assert.ok(offset >= before + outcome.value.bytesWritten, 'what was reported is there');
  }
  assert.ok(offset >= before && offset <= before + sent, `offset ${offset}`);
  const again = await trial.store.getUpload(upload.id);
  await append(again, offset, 100);
  await assertStored(trial, upload.id, offset + 100);
}

function* batches(start: number, length: number): Generator<Uint8Array[]> {
  const batchLength = 48 * KiB;
  for (let done = 0; done < length; done += batchLength) {
    yield [...arraysAt(start + done, Math.min(batchLength, length - done), 16 * KiB)];
  }
}
