import assert from 'node:assert/strict';
import type { Upload } from '../../core/data-store.js';
import { bodyOf } from '../memory-body.js';
import { append, assertRejects, assertStored, complete } from './assertions.js';
import { bytesAt, create, listed } from './fixtures.js';
import type { Suite, Trial } from './suite.js';

export function defineTermination(suite: Suite): void {
  if (!suite.capabilities.termination) return;
  suite.theme('termination', () => {
    const states: Record<string, (upload: Upload) => Promise<void>> = {
      empty: async () => undefined,
      unfinished: (upload) => append(upload, 0, 50),
      full: (upload) => append(upload, 0, 100),
      finished: complete,
    };
    for (const [name, bring] of Object.entries(states)) {
      suite.test(`removes an upload that is ${name}`, async (trial) => {
        const upload = await create(trial, { size: 100 });
        await bring(upload);
        await terminate(await trial.store.getUpload(upload.id));
        await assertGone(trial, upload.id);
      });
    }

    suite.test('removes an upload by the handle that made it', async (trial) => {
      const upload = await create(trial, { size: 100 });
      await append(upload, 0, 70);
      await terminate(upload);
      await assertGone(trial, upload.id);
      await assertRejects(upload.getInfo(), 'ERR_UPLOAD_NOT_FOUND');
    });

    suite.test('does nothing the second time', async (trial) => {
      const upload = await create(trial, { size: 100 });
      const other = await (await trial.reopen()).getUpload(upload.id);
      await terminate(upload);
      await terminate(upload);
      await terminate(other);
      await assertGone(trial, upload.id);
    });

    suite.test('is not undone by the bytes of a handle from before', async (trial) => {
      const upload = await create(trial, { size: 100 });
      const other = await (await trial.reopen()).getUpload(upload.id);
      await terminate(upload);
      const writing = other.writeChunk(0, bodyOf(bytesAt(0, 10)));
      const result = await writing.catch((error: unknown) => ({ bytesWritten: 0, error }));
      assert.equal(result.bytesWritten, 0);
      assert.ok(result.error !== undefined, 'a write to nothing fails');
      await assertGone(trial, upload.id);
    });

    suite.test('is not undone by a change from a handle from before', async (trial) => {
      const upload = await create(trial, { size: 100 });
      const other = await (await trial.reopen()).getUpload(upload.id);
      await terminate(upload);
      await assert.rejects(other.update({ expiresAt: 1 }));
      await assertGone(trial, upload.id);
    });

    suite.test(
      'is known to handles from before, unless they remember what they read',
      async (trial) => {
        const upload = await create(trial, { size: 100 });
        const other = await (await trial.reopen()).getUpload(upload.id);
        await terminate(upload);
        const [asked] = await Promise.allSettled([other.getInfo()]);
        if (asked.status === 'fulfilled') assert.equal(asked.value.id, upload.id);
        else await assertRejects(Promise.reject(asked.reason), 'ERR_UPLOAD_NOT_FOUND');
      },
    );

    suite.test('leaves other uploads alone', async (trial) => {
      const ids = ['name', 'name2', 'nam', 'folder/name', 'folder/other'];
      const uploads = await Promise.all(ids.map((id) => create(trial, { id, size: 10 })));
      for (const upload of uploads) await append(upload, 0, 5);
      const [first, , , nested] = uploads;
      assert.ok(first && nested);
      await terminate(first);
      await terminate(nested);
      for (const upload of uploads) {
        if (upload === first || upload === nested) await assertGone(trial, upload.id);
        else await assertStored(trial, upload.id, 5);
      }
    });

    if (suite.capabilities.chosenIds) {
      for (const id of ['again', 'folder/again']) {
        suite.test(`frees the ID ${id}`, async (trial) => {
          const first = await create(trial, { id, size: 100, owner: 'first' });
          await append(first, 0, 60);
          await terminate(first);
          const second = await create(trial, { id, size: 20 });
          assert.equal((await second.getInfo()).owner, undefined);
          await append(second, 0, 20);
          await assertStored(trial, id, 20);
        });
      }
    }
  });
}

async function terminate(upload: Upload): Promise<void> {
  if (!upload.terminate) assert.fail('termination is a capability, so there is terminate()');
  await upload.terminate();
}

async function assertGone(trial: Trial, id: string): Promise<void> {
  const store = await trial.reopen();
  await assertRejects(store.getUpload(id), 'ERR_UPLOAD_NOT_FOUND');
  const items = await listed(store);
  assert.ok(!items.some((item) => item.endsWith(` ${id}`)), `still listed: ${items.join(', ')}`);
}
