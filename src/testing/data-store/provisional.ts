import assert from 'node:assert/strict';
import type { Upload } from '../../core/data-store.js';
import { bodyOf } from '../memory-body.js';
import { append, assertStored, assertWritten, infoOf } from './assertions.js';
import { KiB, arraysAt, create } from './fixtures.js';
import type { Suite } from './suite.js';

const before = 1000;
const length = 100 * KiB;

export function defineProvisional(suite: Suite): void {
  if (!suite.capabilities.provisionalChunks) return;
  suite.theme('provisional chunks', () => {
    suite.test('count once they are committed', async (trial) => {
      const upload = await create(trial, { size: before + length });
      await append(upload, 0, before);
      await writeProvisionally(upload, before);
      assert.equal((await infoOf(trial, upload.id)).offset, before);
      await upload.commitChunk?.();
      assert.equal((await upload.getInfo()).offset, before + length);
      await assertStored(trial, upload.id, before + length);
    });

    suite.test('leave nothing when they are discarded', async (trial) => {
      const upload = await create(trial, { size: before + length });
      await append(upload, 0, before);
      // Wrong bytes, as a checksum would find them.
      await writeProvisionally(upload, before, before + 1);
      await upload.discardChunk?.();
      assert.equal((await infoOf(trial, upload.id)).offset, before);
      await append(await trial.store.getUpload(upload.id), before, 77);
      await assertStored(trial, upload.id, before + 77);
    });

    suite.test('do not count where nobody said either', async (trial) => {
      const { id } = await create(trial, { size: before + length });
      const upload = await trial.store.getUpload(id);
      await append(upload, 0, before);
      await writeProvisionally(upload, before, before + 1);
      const next = await (await trial.reopen()).getUpload(id);
      assert.equal((await next.getInfo()).offset, before);
      await append(next, before, 77);
      await assertStored(trial, id, before + 77);
    });

    suite.test('can be tried again after they were discarded', async (trial) => {
      const upload = await create(trial, { size: length });
      await writeProvisionally(upload, 0, 1);
      await upload.discardChunk?.();
      await writeProvisionally(upload, 0);
      await upload.commitChunk?.();
      await assertStored(trial, upload.id, length);
    });

    suite.test('are forgotten as well where they were not provisional', async (trial) => {
      const upload = await create(trial, { size: before + length });
      await append(upload, 0, before);
      assertWritten(
        await upload.writeChunk(before, bodyOf(...arraysAt(before + 1, length, 9999))),
        length,
      );
      await upload.discardChunk?.();
      assert.equal((await infoOf(trial, upload.id)).offset, before);
      await append(await trial.store.getUpload(upload.id), before, 77);
      await assertStored(trial, upload.id, before + 77);
    });

    suite.test('follow one another', async (trial) => {
      const upload = await create(trial, { size: 3 * length });
      for (let offset = 0; offset < 3 * length; offset += length) {
        await writeProvisionally(upload, offset);
        await upload.commitChunk?.();
      }
      await assertStored(trial, upload.id, 3 * length);
    });

    suite.test('may be empty, and neither be there to commit nor to discard', async (trial) => {
      const upload = await create(trial, { size: before });
      assertWritten(await upload.writeChunk(0, bodyOf(), { provisional: true }), 0);
      await upload.commitChunk?.();
      await upload.discardChunk?.();
      await append(upload, 0, before);
      await assertStored(trial, upload.id, before);
    });
  });
}

async function writeProvisionally(upload: Upload, offset: number, from = offset): Promise<void> {
  const body = bodyOf(...arraysAt(from, length, 9999));
  assertWritten(await upload.writeChunk(offset, body, { provisional: true }), length);
}
