import assert from 'node:assert/strict';
import {
  assertFree,
  assertHarmless,
  Claim,
  contend,
  hold,
  quiet,
  settle,
  soon,
  unlock,
} from './fixtures.js';
import type { Suite } from './suite.js';

/** Two lockers over one place. */
export function defineInstances(suite: Suite): void {
  if (suite.capabilities.scope === 'process') return;
  suite.theme('two instances', () => {
    suite.testPair('exclude each other and hand over', async (locker, other) => {
      for (const [mine, theirs] of [
        [locker, other],
        [other, locker],
      ] as const) {
        const first = await hold(mine, 'upload');
        const second = new Claim(theirs, 'upload');
        await first.wished();
        await quiet();
        assert.equal(second.lock, undefined);
        assert.equal(first.asked, 1);
        await unlock(first.lock);
        await second.pass();
        assert.equal(second.asked, 0);
      }
      await assertFree(locker, 'upload');
    });

    suite.testPair('serve fifty contenders one at a time', async (locker, other) => {
      await contend([locker, other], 'upload', 50);
      await assertFree(other, 'upload');
    });

    suite.testPair('ask a holder once, whoever wants the lock', async (locker, other) => {
      const first = await hold(locker, 'upload');
      const claims = [locker, other, other, locker].map((place) => new Claim(place, 'upload'));
      await first.wished();
      await quiet();
      assert.equal(first.asked, 1);
      await unlock(first.lock);
      await Promise.all(claims.map((claim) => claim.pass()));
    });

    suite.testPair('do not free each other by a late unlock', async (locker, other) => {
      const first = await hold(locker, 'upload');
      await unlock(first.lock);
      const second = await hold(other, 'upload');
      await assertHarmless(locker, first.lock, second.lock);
    });

    suite.testPair('settle each other', async (locker, other) => {
      assert.equal(await soon(settle(other, 'upload'), 'settle()'), false);
      assert.equal(await soon(other.isLocked('upload'), 'isLocked()'), false);
      const first = await hold(locker, 'upload');
      assert.equal(await soon(other.isLocked('upload'), 'isLocked()'), true);
      const settling = settle(other, 'upload');
      await first.wished();
      await unlock(first.lock);
      assert.equal(await soon(settling, 'settle()'), true);
      await assertFree(other, 'upload');
    });

    suite.testPair('forget a wish that was aborted', async (locker, other) => {
      const reason = new Error('no more');
      const first = await hold(locker, 'upload');
      const second = new Claim(other, 'upload');
      await first.wished();
      second.abort(reason);
      await second.failed(reason);
      await unlock(first.lock);
      await assertFree(locker, 'upload');
    });

    suite.testPair('go on with one ID while another waits', async (locker, other) => {
      const first = await hold(locker, 'upload');
      const second = new Claim(other, 'upload');
      await first.wished();
      for (const id of ['other', 'folder/upload']) await (await hold(other, id)).pass();
      await unlock(first.lock);
      await second.pass();
    });

    suite.testPair('see one rising line of fences, where there are any', async (locker, other) => {
      let last = -Infinity;
      for (const place of [locker, other, other, locker]) {
        const { lock } = await hold(place, 'upload');
        if (lock.fence !== undefined) assert.ok(lock.fence > last, `${lock.fence} after ${last}`);
        last = lock.fence ?? last;
        await unlock(lock);
      }
    });
  });
}
