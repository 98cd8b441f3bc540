import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import type { Locker, LockOptions } from '../../dist/core/locker.js';
import { MemoryLocker } from '../../dist/lockers/memory-locker.js';
import { describeLocker } from '../../dist/testing/locker-suite.js';
import type { LockerSuiteOptions } from '../../dist/testing/locker/suite.js';
import { LeasedLocker, LeaseServer } from '../fakes/leased-locker.js';
import * as broken from './broken-lockers.js';

/** The suite's cases, to be run one by one. */
function casesOf(options: Omit<LockerSuiteOptions, 'name'>): Map<string, () => Promise<void>> {
  const cases = new Map<string, () => Promise<void>>();
  const api = {
    describe: (_: string, body: () => void) => body(),
    it: (name: string, body: () => Promise<void>) => void cases.set(name, body),
  };
  describeLocker(api, { ...options, name: 'broken' });
  return cases;
}

async function assertFails(cases: Map<string, () => Promise<void>>, name: string): Promise<void> {
  const run = cases.get(name);
  assert.ok(run, `there is a case "${name}"`);
  await assert.rejects(run(), name);
}

describe('the suite finds a locker that', () => {
  const faults: readonly [what: string, make: () => Locker, cases: readonly string[]][] = [
    [
      'lets everybody in',
      () => new broken.LetsEverybodyIn(),
      [
        'a second request waits until the first lets go',
        'fifty contenders are served one at a time',
      ],
    ],
    [
      'serves the last first',
      () => new broken.LastInFirstOut(),
      ['waiters get it first in, first out'],
    ],
    [
      'unlocks by the ID alone',
      () => new broken.UnlocksById(),
      ['a late unlock does not free the lock of the next holder'],
    ],
    [
      'waits for one whose signal has fired',
      () => new broken.ForgetsToLookAtTheSignal(),
      ['a signal that has fired does not wait'],
    ],
    [
      'says that nobody holds a lock',
      () => new broken.NeverLocked(),
      ['tells of the holder, and neither asks nor waits'],
    ],
    [
      'asks the holder where it was only to look',
      () => new broken.AsksWhenLookedAt(),
      ['tells of the holder, and neither asks nor waits'],
    ],
    [
      'takes the lock for one who has gone',
      () => new broken.TakesTheLockAfterAll(),
      ['an abort leaves the others in their order'],
    ],
    ['polls busily', () => new broken.PollsBusily(), ['waiting costs no CPU time']],
    [
      'asks again and again',
      () => new broken.AsksAgainAndAgain(),
      ['a holder is asked once, however many want the lock'],
    ],
    [
      'asks before there is a lock',
      () => new broken.AsksTooEarly(),
      ['a holder is never asked before lock() has resolved'],
    ],
    [
      'does not ask a new holder for those who wait',
      () => new broken.AsksNewcomersOnly(),
      ['a holder that gets the lock while others wait is asked at once'],
    ],
    [
      'settles before the holder has let go',
      () => new broken.SettlesAtOnce(),
      ['asks the holder and waits until it has let go'],
    ],
    [
      'keeps the lock after settle()',
      () => new broken.SettlesWithTheLock(),
      ['finds nobody where nobody holds, and takes nothing'],
    ],
  ];

  for (const [what, make, names] of faults) {
    it.concurrent(what, async () => {
      const cases = casesOf({
        capabilities: { scope: 'process' },
        open: async () => ({ locker: make(), close: async () => undefined }),
      });
      for (const name of names) await assertFails(cases, name);
    });
  }

  it.concurrent('does not exclude between instances', async () => {
    class Lonely extends MemoryLocker {
      override readonly capabilities = { scope: 'host' as const };
    }
    const cases = casesOf({
      capabilities: { scope: 'host' },
      open: async () => ({
        locker: new Lonely(),
        second: new Lonely(),
        close: async () => undefined,
      }),
    });
    await assertFails(cases, 'serve fifty contenders one at a time');
    await assertFails(cases, 'settle each other');
  });

  it.concurrent('says nothing of the end of a lease, or counts no fences', async () => {
    class Silent extends LeasedLocker {
      override async lock(id: string, options: LockOptions): ReturnType<Locker['lock']> {
        const lock = await super.lock(id, options);
        return { lost: new AbortController().signal, fence: 1, unlock: () => lock.unlock() };
      }
    }
    const cases = casesOf({
      capabilities: { scope: 'cluster', leaseMs: 10_000 },
      async open() {
        const server = new LeaseServer();
        return {
          locker: new Silent(server),
          second: new Silent(server),
          endLease: async (id) => server.endLease(id),
          close: async () => undefined,
        };
      },
    });
    await assertFails(cases, 'a lease that ends fires `lost` and lets the next one in');
    await assertFails(cases, 'fences rise, where there are any');
  });

  it.concurrent('cannot do what was promised', async () => {
    const cases = casesOf({
      capabilities: { scope: 'host' },
      open: async () => ({ locker: new MemoryLocker(), close: async () => undefined }),
    });
    await assertFails(cases, 'has the capabilities that the suite was told');
    await assertFails(cases, 'exclude each other and hand over');
  });
});
