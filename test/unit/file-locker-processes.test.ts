import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileLockerOptions } from '../../dist/lockers/file/file-locker.js';
import { LockDirectory, take } from '../fakes/lock-directory.js';
import { LockProcess } from '../fakes/lock-process.js';

/** Rounds of the burial test; the promise was made for a thousand. */
const manyRounds = Number(process.env['TUSKD_LOCK_ROUNDS'] ?? 100);

let place: LockDirectory;
let processes: LockProcess[];

beforeEach(async () => {
  place = await LockDirectory.make();
  processes = [];
});
afterEach(async () => {
  await Promise.all(processes.map((child) => child.kill()));
  await place.remove();
});

async function start(options: Partial<FileLockerOptions> = {}): Promise<LockProcess> {
  const child = await LockProcess.open({ directory: place.path, ...options });
  processes.push(child);
  return child;
}

describe('two processes', () => {
  it('hand a lock over within a moment, and leave nothing', async () => {
    const child = await start();
    const locker = place.locker();
    const times: number[] = [];
    for (let round = 0; round < 20; round++) {
      await child.lock('upload', { letGo: true });
      const startedAt = performance.now();
      const lock = await take(locker, 'upload');
      times.push(performance.now() - startedAt);
      await lock.unlock();
    }
    times.sort((one, other) => one - other);
    assert.ok((times[10] ?? Infinity) < 100, `median ${times[10]} ms`);
    await child.close();
    await locker.close();
    assert.deepEqual(await place.names(), []);
  });

  it('pass it on in spite of a crowd at home', async () => {
    const child = await start();
    const locker = place.locker();
    const served = new AbortController();
    const busy = Array.from({ length: 5 }, async () => {
      while (!served.signal.aborted) await (await take(locker, 'upload')).unlock();
    });
    for (let round = 0; round < 5; round++) {
      await child.lock('upload');
      await child.unlock('upload');
    }
    served.abort();
    await Promise.all(busy);
  });

  it('settle each other', async () => {
    const child = await start();
    await child.lock('upload', { letGo: true });
    const signal = AbortSignal.timeout(5000);
    assert.equal(await place.locker().settle('upload', { signal }), true);
    assert.equal(await place.locker().settle('upload', { signal }), false);
  });
});

describe('a process that is killed', () => {
  it('frees its locks for those who wait already', async () => {
    const child = await start();
    await child.lock('upload');
    const wished = child.asked('upload');
    const waiting = take(place.locker(), 'upload');
    await wished;
    await child.kill();
    const killedAt = performance.now();
    await (await waiting).unlock();
    assert.ok(performance.now() - killedAt < 500);
  });

  it('frees its locks for those who come later, and what it left is swept', async () => {
    const child = await start();
    await child.lock('upload');
    await child.lock('other');
    await child.kill();
    const locker = place.locker();
    for (const id of ['upload', 'other']) await (await take(locker, id)).unlock();
    await locker.close();
    assert.deepEqual(await place.names(), []);
  });

  it('is not one that only stands still', async () => {
    const quick = { holderPollIntervalMs: 20, acquirerPollIntervalMs: 10 };
    const child = await start(quick);
    await child.lock('upload', { letGo: true });
    child.signal('SIGSTOP');
    const waiting = take(place.locker(quick), 'upload');
    const winner = await Promise.race([waiting.then(() => 'taken'), sleep(300, 'waiting')]);
    assert.equal(winner, 'waiting');
    child.signal('SIGCONT');
    await (await waiting).unlock();
  });
});

describe('fifty contenders in four processes on one dead lock', () => {
  for (const [what, lockers, rounds] of [
    ['one locker each process', 1, manyRounds],
    // Fifty that know nothing of each other wake each other up a thousand times a round.
    ['lockers of their own', 13, Math.ceil(manyRounds / 20)],
  ] as const) {
    it(`are never two holders at once: ${what}`, { timeout: 600_000 }, async () => {
      const children = Array.from({ length: 4 }, () => new LockProcess());
      processes.push(...children);
      const dead = await place.corpse();
      let collisions = 0;
      for (let round = 0; round < rounds; round++) {
        await place.put('upload.lock', round % 4 === 0 ? '4194305\n' : dead);
        const contention = {
          options: { directory: place.path },
          id: 'upload',
          crowd: 13,
          lockers,
          witness: place.file('witness'),
        };
        const counts = await Promise.all(children.map((child) => child.contend(contention)));
        collisions += counts.reduce<number>((sum, count) => sum + Number(count), 0);
        await assert.rejects(access(place.file('upload.lock')), { code: 'ENOENT' });
      }
      assert.equal(collisions, 0);
      assert.deepEqual(await place.names(), []);
    });
  }
});

// Elsewhere no name goes with the process that has it.
describe.runIf(process.platform === 'linux')('four processes that are killed at any moment', () => {
  it('are never two holders at once', { timeout: 600_000 }, async () => {
    const haunting = {
      options: { directory: place.path },
      id: 'upload',
      socket: `\0tuskd-test-${randomUUID()}`,
      diary: place.file('diary'),
    };
    const haunt = async (): Promise<void> => {
      const child = new LockProcess();
      processes.push(child);
      await child.haunt(haunting);
    };
    await place.put('diary', '');
    const entries = (): Promise<string> => readFile(haunting.diary, 'utf8');
    await Promise.all(Array.from({ length: 4 }, haunt));
    for (let kill = 0; kill < Math.ceil(manyRounds / 5); kill++) {
      const { length } = await entries();
      // Whoever is hit holds the lock, waits for it, or buries the one before him.
      const enough = length + 1 + Math.floor(Math.random() * 20);
      await expect.poll(async () => (await entries()).length).toBeGreaterThanOrEqual(enough);
      await processes.shift()?.kill();
      await haunt();
    }
    await Promise.all(processes.map((child) => child.kill()));
    assert.match(await entries(), /^\.+$/);
    const locker = place.locker();
    await (await take(locker, haunting.id)).unlock();
    await locker.close();
    assert.deepEqual(await place.names(), ['diary']);
  });
});
