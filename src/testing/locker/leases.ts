import assert from 'node:assert/strict';
import { assertFree, assertHarmless, Claim, hold, soon, unlock } from './fixtures.js';
import type { LockerBackend, Suite } from './suite.js';

/** Locks that can be lost. */
export function defineLeases(suite: Suite): void {
  if (suite.capabilities.leaseMs === undefined) return;
  suite.theme('leases', () => {
    suite.test(
      'a lease that ends fires `lost` and lets the next one in',
      async (locker, backend) => {
        const first = await hold(locker, 'upload');
        const second = new Claim(locker, 'upload');
        await first.wished();
        const signal = first.lock.lost;
        assert.ok(signal, 'a lock with a lease can be lost');
        assert.equal(signal.aborted, false);
        const lost = new Promise((resolve) => signal.addEventListener('abort', resolve));
        await endLease(backend, 'upload');
        await soon(lost, 'the end of the lock');
        const lock = await second.taken();
        assert.ok((lock.fence ?? 0) > (first.lock.fence ?? Infinity), 'the fence rises');
        assert.equal(lock.lost?.aborted, false);
        await unlock(lock);
      },
    );

    suite.test('the unlock of a lost lock harms no other holder', async (locker, backend) => {
      const first = await hold(locker, 'upload');
      await endLease(backend, 'upload');
      const second = await hold(locker, 'upload');
      await assertHarmless(locker, first.lock, second.lock);
    });

    suite.test('a lock that was let go is not lost', async (locker, backend) => {
      const first = await hold(locker, 'upload');
      await unlock(first.lock);
      const second = await hold(locker, 'upload');
      await endLease(backend, 'upload');
      assert.equal(first.lock.lost?.aborted, false);
      await unlock(second.lock);
      await assertFree(locker, 'upload');
    });
  });
}

async function endLease(backend: LockerBackend, id: string): Promise<void> {
  if (backend.endLease === undefined) throw new Error('a lease needs LockerBackend.endLease');
  await backend.endLease(id);
}
