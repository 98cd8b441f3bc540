import assert from 'node:assert/strict';
import { Claim, hold, quiet, settle, soon, unlock } from './fixtures.js';
import type { Suite } from './suite.js';

export function defineAsking(suite: Suite): void {
  suite.theme('asking the holder', () => {
    suite.test('a holder is asked when somebody wants the lock', async (locker) => {
      const first = await hold(locker, 'upload');
      const second = new Claim(locker, 'upload');
      await first.wished();
      await unlock(first.lock);
      await second.pass();
    });

    suite.test('a holder is asked once, however many want the lock', async (locker) => {
      const first = await hold(locker, 'upload');
      const others = Array.from({ length: 10 }, () => new Claim(locker, 'upload'));
      const settling = settle(locker, 'upload');
      await first.wished();
      await quiet();
      assert.equal(first.asked, 1);
      await unlock(first.lock);
      for (const other of others) await other.pass();
      assert.equal(await soon(settling, 'settle()'), true);
      assert.equal(first.asked, 1);
    });

    suite.test('nobody is asked for nothing', async (locker) => {
      const first = await hold(locker, 'upload');
      const other = await hold(locker, 'other');
      await quiet();
      await unlock(other.lock);
      await unlock(first.lock);
      assert.deepEqual([first.asked, other.asked], [0, 0]);
    });

    suite.test('a holder is not asked after it has let go', async (locker) => {
      const first = await hold(locker, 'upload');
      await unlock(first.lock);
      const second = await hold(locker, 'upload');
      const third = new Claim(locker, 'upload');
      await second.wished();
      await unlock(second.lock);
      await third.pass();
      assert.equal(first.asked, 0);
    });

    suite.test('a holder that lets go of its own accord is left alone', async (locker) => {
      const first = await hold(locker, 'upload');
      const second = new Claim(locker, 'upload');
      await unlock(first.lock);
      const { asked } = first;
      await second.taken();
      await quiet();
      assert.equal(first.asked, asked, 'not after unlock() has resolved');
      await second.pass();
    });

    suite.test('a holder that gets the lock while others wait is asked at once', async (locker) => {
      const first = await hold(locker, 'upload');
      const waiters = Array.from({ length: 3 }, () => new Claim(locker, 'upload'));
      await unlock(first.lock);
      const [second, third, last] = waiters;
      assert.ok(second && third && last);
      for (const waiter of [second, third]) {
        const lock = await waiter.taken();
        await waiter.wished();
        await unlock(lock);
      }
      const lock = await last.taken();
      await quiet();
      assert.equal(last.asked, 0, 'nobody waits for the last one');
      await unlock(lock);
    });

    suite.test('a holder is never asked before lock() has resolved', async (locker) => {
      for (let round = 0; round < 20; round++) {
        const crowd = (): Claim[] => {
          // All in one go: the second wants a lock that the first has not heard of yet.
          return Array.from({ length: 4 }, () => new Claim(locker, `upload-${round}`));
        };
        // What runs next differs between a promise's callback and another's.
        const claims = round % 2 === 0 ? crowd() : await fromEventLoop(crowd);
        for (const claim of claims) {
          const lock = await claim.taken();
          if (claim !== claims.at(-1)) await claim.wished();
          assert.notEqual(claim.knewWhenAsked, false);
          await unlock(lock);
        }
      }
    });
  });
}

/** Runs `work` where no promise called it. */
function fromEventLoop<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    setImmediate(() => resolve(work()));
  });
}
