import assert from 'node:assert/strict';
import { append, assertRejects, complete } from './assertions.js';
import { create, listed } from './fixtures.js';
import type { Suite } from './suite.js';

export function defineListing(suite: Suite): void {
  suite.theme('missing uploads', () => {
    for (const id of [
      'missing',
      'folder/missing',
      'a+b',
      '0'.repeat(32),
      'x'.repeat(1024),
      '__proto__',
    ]) {
      suite.test(`are not found: ${id.slice(0, 40)}`, async (trial) => {
        await assertRejects(trial.store.getUpload(id), 'ERR_UPLOAD_NOT_FOUND');
        await create(trial);
        await assertRejects((await trial.reopen()).getUpload(id), 'ERR_UPLOAD_NOT_FOUND');
      });
    }

    suite.test('are not found above, below and beside what is there', async (trial) => {
      const { id } = await create(trial, { id: 'folder/upload', size: 5 });
      for (const other of ['folder', `${id}/below`, `${id}2`, id.slice(0, -1), `${id}+x`]) {
        await assertRejects(trial.store.getUpload(other), 'ERR_UPLOAD_NOT_FOUND');
      }
    });
  });

  suite.theme('the list', () => {
    suite.test('is empty at first', async ({ store }) => {
      assert.deepEqual(await listed(store), []);
    });

    suite.test('has every upload once, whatever state it is in', async (trial) => {
      const empty = await create(trial, { size: 10 });
      const begun = await create(trial, { size: 10, id: 'folder/sub/begun' });
      const nested = await create(trial, { size: 10, id: 'folder/nested' });
      const done = await create(trial, { size: 10 });
      await append(begun, 0, 5);
      await append(nested, 0, 10);
      await complete(done);
      const expected = [empty, begun, nested, done].map(({ id }) => `upload ${id}`).sort();
      assert.deepEqual(await listed(trial.store), expected);
      assert.deepEqual(await listed(await trial.reopen()), expected);
    });

    suite.test('gives IDs that can be found, and the time of the last write', async (trial) => {
      const upload = await create(trial, { size: 10 });
      await append(upload, 0, 5);
      const { modifiedAt } = await (await trial.store.getUpload(upload.id)).getInfo();
      for await (const item of trial.store.list()) {
        assert.equal((await trial.store.getUpload(item.id)).id, upload.id);
        // A second's slack: the list may take its times from elsewhere, with less precision.
        assert.ok(Math.abs(item.modifiedAt - modifiedAt) <= 1000, `${item.modifiedAt}`);
      }
    });

    suite.test('goes over hundreds of uploads, and can be left early', async (trial) => {
      for (let round = 0; round < 8; round++) {
        await Promise.all(Array.from({ length: 40 }, () => create(trial)));
      }
      assert.equal(new Set(await listed(trial.store)).size, 320);
      let seen = 0;
      for await (const item of trial.store.list()) {
        assert.equal(item.kind, 'upload');
        if (++seen === 5) break;
      }
      assert.equal(seen, 5);
    });

    suite.test('can be used while uploads come and go', async (trial) => {
      const stays = await create(trial);
      const others = await Promise.all([1, 2, 3, 4].map(() => create(trial)));
      const seen: string[] = [];
      for await (const item of trial.store.list()) {
        seen.push(item.id);
        await others.pop()?.terminate?.();
        await create(trial);
        if (seen.length > 100) break;
      }
      assert.equal(seen.filter((id) => id === stays.id).length, 1);
    });

    suite.test('has nothing that the store did not make', async (trial) => {
      if (!trial.backend.plantForeign) return;
      await trial.backend.plantForeign();
      const { id } = await create(trial);
      assert.deepEqual(await listed(trial.store), [`upload ${id}`]);
    });
  });
}
