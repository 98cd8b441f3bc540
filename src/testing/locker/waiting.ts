import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertFree, Claim, hold, quiet, settle, soon, unlock } from './fixtures.js';
import type { Suite } from './suite.js';

export function defineWaiting(suite: Suite): void {
  suite.theme('waiting', () => {
    suite.test('a signal that has fired does not wait', async (locker) => {
      const reason = new Error('too late');
      const first = await hold(locker, 'upload');
      await new Claim(locker, 'upload', AbortSignal.abort(reason)).failed(reason);
      await unlock(first.lock);
      await assertFree(locker, 'upload');
    });

    suite.test(
      'an abort ends the wait with its reason, and no lock is taken later',
      async (locker) => {
        const reason = { any: 'value' };
        const first = await hold(locker, 'upload');
        const second = new Claim(locker, 'upload');
        const third = new Claim(locker, 'upload');
        await first.wished();
        second.abort(reason);
        await second.failed(reason);
        third.abort(reason);
        await third.failed(reason);
        await unlock(first.lock);
        await assertFree(locker, 'upload');
      },
    );

    suite.test('an abort leaves the others in their order', async (locker) => {
      const first = await hold(locker, 'upload');
      const second = new Claim(locker, 'upload');
      const third = new Claim(locker, 'upload');
      second.abort(new Error('no more'));
      await unlock(first.lock);
      await third.pass();
      assert.equal(second.lock, undefined);
    });

    suite.test('a timeout ends the wait', async (locker) => {
      const first = await hold(locker, 'upload');
      const signal = AbortSignal.timeout(20);
      // The timer of that signal does not keep a process alive.
      const second = new Claim(locker, 'upload', signal);
      await sleep(30);
      await second.failed(signal.reason);
      await unlock(first.lock);
    });

    suite.test('an abort after the lock was given changes nothing', async (locker) => {
      const first = await hold(locker, 'upload');
      first.abort(new Error('no more'));
      const second = new Claim(locker, 'upload');
      await quiet();
      assert.equal(second.lock, undefined);
      assert.notEqual(first.lock.lost?.aborted, true);
      await unlock(first.lock);
      await second.pass();
    });

    suite.test('waiting costs no CPU time', async (locker) => {
      const first = await hold(locker, 'upload');
      const waiters = Array.from({ length: 50 }, () => new Claim(locker, 'upload'));
      await first.wished();
      await quiet();
      const cpu = process.cpuUsage();
      const loop = performance.eventLoopUtilization();
      const waitMs = 400;
      await sleep(waitMs);
      const { utilization } = performance.eventLoopUtilization(loop);
      const { user, system } = process.cpuUsage(cpu);
      await unlock(first.lock);
      for (const waiter of waiters) await waiter.pass();
      assert.ok(utilization < 0.3, `the event loop was busy for ${utilization} of the time`);
      // Of all threads. The process may have other work (a garbage collection), but not that much.
      assert.ok((user + system) / 1000 < waitMs / 2, `${user + system} µs of CPU in ${waitMs} ms`);
    });
  });

  suite.theme('isLocked()', () => {
    suite.test('tells of the holder, and neither asks nor waits', async (locker) => {
      assert.equal(await soon(locker.isLocked('upload'), 'isLocked()'), false);
      assert.equal(await soon(locker.isLocked('folder/upload'), 'isLocked()'), false);
      const first = await hold(locker, 'upload');
      assert.equal(await soon(locker.isLocked('upload'), 'isLocked()'), true);
      assert.equal(await soon(locker.isLocked('other'), 'isLocked()'), false);
      await quiet();
      assert.equal(first.asked, 0);
      await unlock(first.lock);
      assert.equal(await soon(locker.isLocked('upload'), 'isLocked()'), false);
    });
  });

  suite.theme('settle()', () => {
    suite.test('finds nobody where nobody holds, and takes nothing', async (locker) => {
      assert.equal(await soon(settle(locker, 'upload'), 'settle()'), false);
      assert.equal(await soon(settle(locker, 'folder/upload'), 'settle()'), false);
      await assertFree(locker, 'upload');
    });

    suite.test('asks the holder and waits until it has let go', async (locker) => {
      const first = await hold(locker, 'upload');
      const settling = settle(locker, 'upload');
      let isOver = false;
      void settling.then(() => (isOver = true));
      await first.wished();
      await quiet();
      assert.equal(isOver, false);
      await unlock(first.lock);
      assert.equal(await soon(settling, 'settle()'), true);
      await assertFree(locker, 'upload');
    });

    suite.test(
      'ends for all who wait, and lets those who want the lock have it',
      async (locker) => {
        const first = await hold(locker, 'upload');
        const settling = Array.from({ length: 5 }, () => settle(locker, 'upload'));
        const second = new Claim(locker, 'upload');
        await first.wished();
        await unlock(first.lock);
        assert.deepEqual(await soon(Promise.all(settling), 'settle()'), Array(5).fill(true));
        await second.pass();
      },
    );

    suite.test('ends with the reason of its signal', async (locker) => {
      const reason = new Error('no more');
      const first = await hold(locker, 'upload');
      await assert.rejects(settle(locker, 'upload', AbortSignal.abort(reason)), reason);
      const giveUp = new AbortController();
      const settling = settle(locker, 'upload', giveUp.signal);
      await first.wished();
      giveUp.abort(reason);
      await assert.rejects(soon(settling, 'settle()'), reason);
      await unlock(first.lock);
      await assertFree(locker, 'upload');
    });
  });
}
