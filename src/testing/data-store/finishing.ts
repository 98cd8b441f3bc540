import assert from 'node:assert/strict';
import type { Upload } from '../../core/data-store.js';
import { bodyOf } from '../memory-body.js';
import { append, assertStored, assertWritten, infoOf } from './assertions.js';
import { KiB, create } from './fixtures.js';
import type { Suite } from './suite.js';

const size = 150 * KiB + 11;

export function defineFinishing(suite: Suite): void {
  if (!suite.capabilities.finishing) return;
  suite.theme('finishing', () => {
    suite.test('keeps the offset and the bytes', async (trial) => {
      const upload = await create(trial, { size });
      await append(upload, 0, size);
      assert.equal((await infoOf(trial, upload.id)).offset, size);
      await finish(upload);
      assert.equal((await infoOf(trial, upload.id)).offset, size);
      await assertStored(trial, upload.id, size);
    });

    suite.test('does nothing the second time, whoever asks', async (trial) => {
      const upload = await create(trial, { size });
      await append(upload, 0, size);
      await finish(upload);
      await finish(upload);
      await finish(await (await trial.reopen()).getUpload(upload.id));
      await assertStored(trial, upload.id, size);
    });

    suite.test('takes an upload without a byte', async (trial) => {
      const upload = await create(trial, { size: 0 });
      await finish(upload);
      await assertStored(trial, upload.id, 0);
    });

    suite.test(
      'takes an empty chunk afterwards: a client may not know that it is through',
      async (trial) => {
        const { id } = await create(trial, { size });
        await append(await trial.store.getUpload(id), 0, size);
        await finish(await trial.store.getUpload(id));
        const upload = await trial.store.getUpload(id);
        assertWritten(await upload.writeChunk(size, bodyOf()), 0);
        await assertStored(trial, id, size);
      },
    );

    suite.test('leaves the record as it is, and lets it change afterwards', async (trial) => {
      const upload = await create(trial, { size: 10, finish: 'pending' });
      await append(upload, 0, 10);
      await finish(upload);
      assert.equal((await infoOf(trial, upload.id)).finish, 'pending');
      await upload.update({ finish: 'done' });
      assert.equal((await infoOf(trial, upload.id)).finish, 'done');
      assert.equal((await infoOf(trial, upload.id)).offset, 10);
    });

    suite.test('can fail, and be done by another instance', async (trial) => {
      if (!trial.backend.failNextFinish) return;
      const upload = await create(trial, { size });
      await append(upload, 0, size);
      trial.backend.failNextFinish();
      await assert.rejects(finish(upload));
      const other = await (await trial.reopen()).getUpload(upload.id);
      assert.equal((await other.getInfo()).offset, size, 'nothing is lost by a failed step');
      await finish(other);
      await assertStored(trial, upload.id, size);
    });
  });
}

async function finish(upload: Upload): Promise<void> {
  if (!upload.finish) assert.fail('finishing is a capability, so there is finish()');
  await upload.finish();
}
