import assert from 'node:assert/strict';
import { assertFree, assertHarmless, Claim, contend, hold, quiet, unlock } from './fixtures.js';
import type { Suite } from './suite.js';

export function defineExclusion(suite: Suite): void {
  suite.theme('exclusion', () => {
    suite.test('a free lock is given, again and again', async (locker) => {
      for (let round = 0; round < 3; round++) await (await hold(locker, 'upload')).pass();
      await assertFree(locker, 'upload');
    });

    suite.test('a second request waits until the first lets go', async (locker) => {
      const first = await hold(locker, 'upload');
      const second = new Claim(locker, 'upload');
      await quiet();
      assert.equal(second.lock, undefined);
      await unlock(first.lock);
      await second.pass();
    });

    suite.test('many IDs do not touch each other', async (locker) => {
      const ids = [
        'a',
        'ab',
        'a/b',
        'a/b/c',
        'A+b',
        ...Array.from({ length: 95 }, (_, n) => `n${n}`),
      ];
      const claims = await Promise.all(ids.map((id) => hold(locker, id)));
      for (const claim of claims) assert.equal(claim.asked, 0);
      await Promise.all(claims.map((claim) => claim.pass()));
    });

    suite.test('waiters get it first in, first out', async (locker) => {
      const first = await hold(locker, 'upload');
      const order: number[] = [];
      const waiters = Array.from({ length: 20 }, async (_, index) => {
        const lock = await new Claim(locker, 'upload').taken();
        order.push(index);
        await unlock(lock);
      });
      await quiet();
      await unlock(first.lock);
      await Promise.all(waiters);
      assert.deepEqual(
        order,
        Array.from({ length: 20 }, (_, index) => index),
      );
    });

    suite.test('fifty contenders are served one at a time', async (locker) => {
      await contend([locker], 'upload', 50);
      await assertFree(locker, 'upload');
    });
  });

  suite.theme('letting go', () => {
    suite.test('one unlock lets one waiter in', async (locker) => {
      const first = await hold(locker, 'upload');
      const second = new Claim(locker, 'upload');
      const third = new Claim(locker, 'upload');
      await unlock(first.lock);
      const lock = await second.taken();
      await quiet();
      assert.equal(third.lock, undefined);
      await unlock(lock);
      await third.pass();
    });

    suite.test('a second unlock does nothing', async (locker) => {
      const first = await hold(locker, 'upload');
      await Promise.all([unlock(first.lock), unlock(first.lock)]);
      await unlock(first.lock);
      await assertFree(locker, 'upload');
    });

    suite.test('a late unlock does not free the lock of the next holder', async (locker) => {
      const first = await hold(locker, 'upload');
      await unlock(first.lock);
      const second = await hold(locker, 'upload');
      await assertHarmless(locker, first.lock, second.lock);
    });

    suite.test('fences rise, where there are any', async (locker) => {
      let last = -Infinity;
      for (let round = 0; round < 5; round++) {
        const { lock } = await hold(locker, 'upload');
        if (suite.capabilities.leaseMs !== undefined) assert.equal(typeof lock.fence, 'number');
        if (lock.fence !== undefined) assert.ok(lock.fence > last, `${lock.fence} after ${last}`);
        last = lock.fence ?? last;
        await unlock(lock);
      }
    });
  });
}
