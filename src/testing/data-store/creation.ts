import assert from 'node:assert/strict';
import { isUploadId } from '../../core/upload-id.js';
import { append, assertRejects, assertStored, infoOf } from './assertions.js';
import { create, draft, listed } from './fixtures.js';
import type { Suite } from './suite.js';

export function defineCreation(suite: Suite): void {
  suite.theme('creation', () => {
    suite.test('makes an empty upload that other instances see', async (trial) => {
      const upload = await create(trial, { size: 10 });
      const info = await infoOf(trial, upload.id);
      assert.equal(info.id, upload.id);
      assert.equal(info.size, 10);
      assert.equal(info.offset, 0);
      assert.equal(typeof info.modifiedAt, 'number');
      await assertStored(trial, upload.id, 0);
    });

    suite.test('chooses IDs that are valid and differ', async (trial) => {
      const first = await create(trial);
      const second = await create(trial);
      assert.ok(isUploadId(first.id), first.id);
      assert.ok(isUploadId(second.id), second.id);
      assert.notEqual(first.id, second.id);
    });

    for (const id of ['chosen', 'one/two/three']) {
      suite.test(`takes ${id} for an ID`, async (trial) => {
        const upload = await create(trial, { id, size: 3 });
        if (suite.capabilities.chosenIds) assert.equal(upload.id, id);
        assert.ok(isUploadId(upload.id), upload.id);
        await append(upload, 0, 3);
        await assertStored(trial, upload.id, 3);
      });
    }

    suite.test('takes zero for a size', async (trial) => {
      const upload = await create(trial, { size: 0 });
      assert.equal((await infoOf(trial, upload.id)).size, 0);
      await assertStored(trial, upload.id, 0);
    });

    if (suite.capabilities.declaredLength) {
      suite.test('needs no size', async (trial) => {
        const upload = await create(trial, { size: undefined });
        assert.equal((await infoOf(trial, upload.id)).size, undefined);
        await append(upload, 0, 5);
        await assertStored(trial, upload.id, 5);
      });
    }

    suite.test('leaves an upload as it is when its ID is asked for again', async (trial) => {
      const first = await create(trial, { id: 'taken', size: 6, owner: 'first' });
      await append(first, 0, 4);
      await assertTakenOrOther(trial.store.newUpload(draft({ id: 'taken', size: 9 })), first.id);
      const info = await infoOf(trial, first.id);
      assert.equal(info.size, 6);
      assert.equal(info.owner, 'first');
      await assertStored(trial, first.id, 4);
    });

    suite.test('gives an ID to one of two who ask for it at once', async (trial) => {
      const attempts = await Promise.allSettled(
        [1, 2].map((size) => trial.store.newUpload(draft({ id: 'both', size }))),
      );
      const won = attempts.filter((attempt) => attempt.status === 'fulfilled');
      const lost = attempts.filter((attempt) => attempt.status === 'rejected');
      if (suite.capabilities.chosenIds) assert.equal(won.length, 1);
      for (const { reason } of lost) {
        await assertRejects(Promise.reject(reason), 'ERR_UPLOAD_EXISTS');
      }
      assert.deepEqual(
        await listed(await trial.reopen()),
        won.map(({ value }) => `upload ${value.id}`).sort(),
      );
    });

    suite.test('makes 32 uploads at once', async (trial) => {
      const sizes = Array.from({ length: 32 }, (_, index) => index);
      const uploads = await Promise.all(sizes.map((size) => create(trial, { size })));
      assert.equal(new Set(uploads.map((upload) => upload.id)).size, 32);
      for (const [size, upload] of uploads.entries()) {
        assert.equal((await infoOf(trial, upload.id)).size, size);
      }
    });
  });

  /** A store that makes IDs of its own may give the second one another; what it must not do is touch the first. */
  async function assertTakenOrOther(
    attempt: Promise<{ id: string }>,
    taken: string,
  ): Promise<void> {
    if (suite.capabilities.chosenIds) return assertRejects(attempt, 'ERR_UPLOAD_EXISTS');
    const [result] = await Promise.allSettled([attempt]);
    if (result.status === 'fulfilled') assert.notEqual(result.value.id, taken);
    else await assertRejects(attempt, 'ERR_UPLOAD_EXISTS');
  }
}
