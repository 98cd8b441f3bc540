import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { MemoryBody, bodyOf } from '../memory-body.js';
import { append, assertStored, assertWritten } from './assertions.js';
import { KiB, MiB, arraysAt, bytesAt, create } from './fixtures.js';
import type { Suite } from './suite.js';

export function defineWriting(suite: Suite): void {
  suite.theme('offset arithmetic', () => {
    suite.test('stores one chunk', async (trial) => {
      const upload = await create(trial, { size: 1000 });
      const body = bodyOf(bytesAt(0, 1000));
      assertWritten(await upload.writeChunk(0, body), 1000);
      assert.equal(body.endReason, 'complete', 'the body was read to its end');
      await assertStored(trial, upload.id, 1000);
    });

    suite.test('stores chunk after chunk, by new handles each time', async (trial) => {
      const { id } = await create(trial, { size: 64 });
      for (let offset = 0; offset < 64; offset++) {
        await append(await trial.store.getUpload(id), offset, 1);
      }
      await assertStored(trial, id, 64);
    });

    suite.test('stores chunk after chunk by the same handle', async (trial) => {
      const upload = await create(trial, { size: 600 });
      for (let offset = 0; offset < 600; offset += 100) await append(upload, offset, 100);
      assert.equal((await upload.getInfo()).offset, 600);
      await assertStored(trial, upload.id, 600);
    });

    suite.test('stores many arrays of one byte', async (trial) => {
      const upload = await create(trial, { size: 2000 });
      assertWritten(await upload.writeChunk(0, bodyOf(...arraysAt(0, 2000, 1))), 2000);
      await assertStored(trial, upload.id, 2000);
    });

    // One system call takes 1,024 arrays at most (IOV_MAX).
    suite.test('stores thousands of arrays that come at once', async (trial) => {
      const upload = await create(trial, { size: 30_000 });
      const body = new MemoryBody([[...arraysAt(0, 15_000, 3)], [...arraysAt(15_000, 15_000, 5)]]);
      assertWritten(await upload.writeChunk(0, body), 30_000);
      await assertStored(trial, upload.id, 30_000);
    });

    suite.test('stores batches of changing shape', async (trial) => {
      const upload = await create(trial, { size: 60_000 });
      const batches = [1, 3, 100, 7, 1000, 2].map((arrayLength, index) => [
        ...arraysAt(index * 10_000, 10_000, arrayLength),
      ]);
      assertWritten(await upload.writeChunk(0, new MemoryBody(batches)), 60_000);
      await assertStored(trial, upload.id, 60_000);
    });

    suite.test('stores odd sizes across the borders of MiBs', async (trial) => {
      const lengths = [1, MiB - 1, MiB + 1, 7, 2 * MiB - 3, 64 * KiB + 1, 0, 5];
      const upload = await create(trial, { size: lengths.reduce((sum, length) => sum + length) });
      let offset = 0;
      for (const length of lengths) {
        await append(upload, offset, length);
        offset += length;
        assert.equal((await upload.getInfo()).offset, offset);
      }
      await assertStored(trial, upload.id, offset);
    });

    suite.test('stores 8 MiB that come bit by bit', async (trial) => {
      const upload = await create(trial, { size: 8 * MiB });
      async function* slowly(): AsyncGenerator<Uint8Array[]> {
        for (let start = 0; start < 8 * MiB; start += MiB) {
          await setImmediate();
          yield [...arraysAt(start, MiB, 64 * KiB)];
        }
      }
      assertWritten(await upload.writeChunk(0, new MemoryBody(slowly())), 8 * MiB);
      await assertStored(trial, upload.id, 8 * MiB);
    });

    suite.test('stores an empty chunk', async (trial) => {
      const upload = await create(trial, { size: 10 });
      assertWritten(await upload.writeChunk(0, bodyOf()), 0);
      await append(upload, 0, 4);
      assertWritten(await upload.writeChunk(4, bodyOf()), 0);
      await assertStored(trial, upload.id, 4);
    });

    suite.test('stores views of larger buffers, and empty arrays among them', async (trial) => {
      const upload = await create(trial, { size: 40 });
      const bytes = bytesAt(0, 100);
      const empty = new Uint8Array(0);
      const batch = [empty, bytes.subarray(0, 10), empty, Buffer.from(bytes.subarray(10, 40))];
      assertWritten(await upload.writeChunk(0, new MemoryBody([batch])), 40);
      await assertStored(trial, upload.id, 40);
    });

    suite.test('keeps uploads apart that are written at once', async (trial) => {
      const uploads = await Promise.all([1, 2, 3].map(() => create(trial, { size: 300 * KiB })));
      await Promise.all(
        uploads.map(async (upload, index) => {
          const arrays = [...arraysAt(0, 300 * KiB, 1000 * (index + 1))];
          assertWritten(await upload.writeChunk(0, bodyOf(...arrays)), 300 * KiB);
        }),
      );
      for (const { id } of uploads) await assertStored(trial, id, 300 * KiB);
    });
  });
}
