import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, access, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { setImmediate as turnOfTheLoop, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it, vi } from 'vitest';
import { FileLocker } from '../../dist/lockers/file/file-locker.js';
import { LockDirectory, take } from '../fakes/lock-directory.js';

const quick = { holderPollIntervalMs: 25, acquirerPollIntervalMs: 10 };
const leaseMs = 4 * quick.holderPollIntervalMs;
const hourMs = 3_600_000;

let place: LockDirectory;

beforeEach(async () => {
  place = await LockDirectory.make();
});
afterEach(() => place.remove());

/** Passes if `locker` takes the lock although the file is there, and leaves nothing behind. */
async function assertTaken(locker: FileLocker, id = 'upload'): Promise<void> {
  const lock = await take(locker, id);
  assert.equal((await place.read(`${id}.lock`)).pid, String(process.pid));
  await lock.unlock();
  await locker.close();
  assert.deepEqual(await place.names(), []);
}

/** Passes if `locker` does not take the lock for longer than the lease that it goes by. */
async function assertRespected(locker: FileLocker): Promise<void> {
  const signal = AbortSignal.timeout(leaseMs + 50);
  const keptAlive = sleep(leaseMs + 100);
  await assert.rejects(
    locker.lock('upload', { signal, requestRelease: () => undefined }),
    (error) => error === signal.reason,
  );
  await keptAlive;
}

describe('the lock file', () => {
  it("is tusd's: the PID on the first line", async () => {
    const lock = await take(place.locker(), 'upload');
    assert.equal((await place.read('upload.lock')).pid, String(process.pid));
    await lock.unlock();
    await assert.rejects(access(place.file('upload.lock')), { code: 'ENOENT' });
  });

  it('lies in a folder where the ID has slashes, and takes the folder away again', async () => {
    const locker = place.locker();
    const locks = await Promise.all(['a', 'a/b', 'a/b/c', 'a/d'].map((id) => take(locker, id)));
    await access(place.file('a/b/c.lock'));
    await Promise.all(locks.map((lock) => lock.unlock()));
    await locker.close();
    assert.deepEqual(await place.names(), []);
  });

  it('comes and goes beside others in the same folders, and all folders go in the end', async () => {
    const locker = place.locker();
    const ids = ['a', 'a/b', 'a/b/c', 'a/b/d', 'a/e'];
    for (let round = 0; round < 100; round += 1) {
      const turns = ids.map(async (id, index) => {
        const lock = await take(locker, id);
        for (let left = (round * (index + 3)) % 7; left > 0; left -= 1) await turnOfTheLoop();
        await lock.unlock();
      });
      await Promise.all(turns);
    }
    await locker.close();
    assert.deepEqual(await place.names(), []);
  });

  it('leaves a folder with something in it', async () => {
    const locker = place.locker();
    const lock = await take(locker, 'a/b');
    await place.put('a/b', 'data');
    await lock.unlock();
    await locker.close();
    assert.deepEqual(await place.names(), ['a', 'a/b']);
  });

  it('is fresh when it appears, however long the process had none', async () => {
    const locker = place.locker(quick);
    await (await take(locker, 'upload')).unlock();
    await sleep(3 * quick.holderPollIntervalMs);
    const takenFrom = Date.now();
    const lock = await take(locker, 'upload');
    const { mtimeMs } = await stat(place.file('upload.lock'));
    // The clock of the file system is behind by up to a tick of the kernel.
    assert.ok(mtimeMs >= takenFrom - quick.holderPollIntervalMs - 10);
    await lock.unlock();
  });

  it('is renewed while it is held', async () => {
    const lock = await take(place.locker(quick), 'upload');
    const { mtimeMs } = await stat(place.file('upload.lock'));
    await vi.waitUntil(async () => (await stat(place.file('upload.lock'))).mtimeMs > mtimeMs);
    await lock.unlock();
  });

  it('can still be made when somebody has removed our folder', async () => {
    const locker = place.locker();
    await (await take(locker, 'upload')).unlock();
    await rm(place.file('.tuskd'), { recursive: true });
    await assertTaken(locker);
  });

  it('makes the directory where the first upload is still to come', async () => {
    const locker = new FileLocker({ directory: place.file('later/deep') });
    await Promise.all(['upload', 'a/b'].map(async (id) => (await take(locker, id)).unlock()));
    await locker.close();
    assert.deepEqual(await place.names(), ['later', 'later/deep']);
  });

  it('is not there for an upload that nobody has heard of, which is locked within this process all the same', async () => {
    const locker = place.locker();
    const { signal } = new AbortController();
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const first = await locker.lock('upload', { signal, requestRelease: isAsked, isNew: true });
    assert.deepEqual(await place.names(), []);
    assert.equal(await locker.isLocked('upload'), true);
    let isTaken = false;
    const second = take(locker, 'upload').then((lock) => ((isTaken = true), lock));
    await asked;
    assert.equal(isTaken, false);
    await first.unlock();
    await (await second).unlock();
    assert.equal(await locker.isLocked('upload'), false);
  });

  it('is not looked for below an upload: there is none', async () => {
    await place.put('upload', '');
    assert.equal(await place.locker().isLocked('upload/below'), false);
  });

  it('cannot be made for a name that no file can have', async () => {
    const locker = place.locker();
    const long = 'x'.repeat(255);
    await assert.rejects(take(locker, long), { code: 'ERR_INVALID_UPLOAD_ID' });
    const { signal } = new AbortController();
    assert.equal(await locker.settle(long, { signal }), false);
  });
});

describe('a lock of the dead is taken at once', () => {
  it('field 10: where its process is gone', async () => {
    await place.put('upload.lock', await place.corpse());
    await assertTaken(place.locker());
  });

  it('where the ID is as long as can be', async () => {
    const id = 'x'.repeat(250);
    await place.put(`${id}.lock`, await place.corpse());
    await assertTaken(place.locker(), id);
  });

  it("where it is tusd's and nobody has that PID", async () => {
    await place.put('upload.lock', '4194305\n');
    await assertTaken(place.locker());
  });

  it("field 10: where it is tusd's with our own PID, as in a container that was started again", async () => {
    await place.put('upload.lock', `${process.pid}\n`);
    await assertTaken(place.locker());
  });

  it('where another host has not renewed it for longer than the lease', async () => {
    await place.put('upload.lock', await place.corpse({ host: 'another' }), hourMs);
    await assertTaken(place.locker());
  });

  for (const [what, text] of [
    ['empty', ''],
    ['garbage', '{"no": "lock"}\n\0'],
    ['cut off', '0'],
    ['too long', 'x'.repeat(10_000)],
  ] as const) {
    it(`where it is ${what} and old`, async () => {
      await place.put('upload.lock', text, hourMs);
      await assertTaken(place.locker());
    });
  }

  it('where one who was about to bury it has died, too', async () => {
    const dead = await place.corpse();
    const burier = await place.corpse({ nonce: 'beef'.repeat(8) }, 2);
    const hash = createHash('sha256').update(`upload.lock\n${dead}`).digest('hex').slice(0, 32);
    const locker = place.locker();
    // So that the cleaning at the start has nothing to do with it.
    await (await take(locker, 'other')).unlock();
    await place.put('upload.lock', dead);
    await place.put(`.tuskd/${hash}.part`, burier);
    await assertTaken(locker);
  });

  it('where settle() finds it: nobody is waited for, and it is cleared away', async () => {
    await place.put('upload.lock', await place.corpse());
    const locker = place.locker();
    assert.equal(await locker.settle('upload', { signal: AbortSignal.timeout(1000) }), false);
    await locker.close();
    assert.deepEqual(await place.names(), []);
  });

  it('and what the dead left in our folder is swept', async () => {
    const locker = place.locker();
    await (await take(locker, 'other')).unlock();
    // A folder of the store's.
    await mkdir(place.file('.tuskd/awaited'));
    await place.put('.tuskd/dead-0', await place.corpse());
    await place.put('.tuskd/dead.part', await place.corpse({ nonce: 'beef' }));
    await place.put('.tuskd/killed-0', '');
    await place.put('.tuskd/strange', 'just being made');
    const second = place.locker();
    await (await take(second, 'other')).unlock();
    await second.close();
    const names = (await place.names()).filter((name) => /dead|killed|strange/.test(name));
    assert.deepEqual(names, ['.tuskd/strange']);
  });
});

describe('a lock of the living is respected', () => {
  it('where another host renews it', async () => {
    await place.put('upload.lock', await place.corpse({ host: 'another' }));
    await assertRespected(place.locker());
  });

  it('where it is being written, for as long as somebody writes', async () => {
    await place.put('upload.lock', '');
    const writer = setInterval(() => void writeFile(place.file('upload.lock'), 'half'), 10);
    await assertRespected(place.locker(quick));
    clearInterval(writer);
  });

  it("where it is tusd's and its process lives, however old", async () => {
    await place.put('upload.lock', `${process.ppid}\n`, hourMs);
    const locker = place.locker(quick);
    await assertRespected(locker);
    assert.deepEqual((await place.names()).includes('upload.stop'), false, 'takes its wish back');
    const waiting = take(locker, 'upload');
    await vi.waitUntil(() =>
      access(place.file('upload.stop')).then(
        () => true,
        () => false,
      ),
    );
    await unlink(place.file('upload.lock'));
    await (await waiting).unlock();
    await locker.close();
    assert.deepEqual(await place.names(), []);
  });

  it('where its process has no file descriptor left to answer with', async () => {
    // libuv accepts and closes then.
    const server = createServer((socket) => socket.destroy()).listen('\0tuskd-test-busy');
    await once(server, 'listening');
    await place.put('upload.lock', await place.corpse({ endpoint: '\0tuskd-test-busy' }), hourMs);
    const locker = place.locker(quick);
    await assertRespected(locker);
    server.close();
    await once(server, 'close');
    await assertTaken(locker);
  });
});

describe('a holder', () => {
  it("is asked by tusd's file, once, and clears it away", async () => {
    const locker = place.locker(quick);
    let asked = 0;
    const lock = await take(locker, 'upload', () => asked++);
    await place.put('upload.stop', '');
    await vi.waitUntil(() => asked > 0);
    await sleep(3 * quick.holderPollIntervalMs);
    assert.equal(asked, 1);
    await lock.unlock();
    await locker.close();
    assert.deepEqual(await place.names(), []);
  });

  it('field 5: learns that its lock was taken away, and leaves the new one alone', async () => {
    const locker = place.locker(quick);
    const lock = await take(locker, 'upload');
    assert.equal(lock.lost?.aborted, false);
    await unlink(place.file('upload.lock'));
    await place.put('upload.lock', `${process.ppid}\n`);
    await vi.waitUntil(() => lock.lost?.aborted);
    await lock.unlock();
    await locker.close();
    assert.deepEqual(await place.names(), ['upload.lock']);
  });

  it('field 5: does not remove what replaced its lock just before it lets go', async () => {
    const locker = place.locker({ holderPollIntervalMs: 100 });
    const lock = await take(locker, 'upload');
    // Between two looks at the lock.
    await sleep(120);
    await unlink(place.file('upload.lock'));
    await place.put('upload.lock', `${process.ppid}\n`);
    await lock.unlock();
    await access(place.file('upload.lock'));
  });

  it('does not listen to those who cannot read the lock file', async () => {
    let asked = 0;
    const lock = await take(place.locker(), 'upload', () => asked++);
    const { address } = await place.read('upload.lock');
    for (const line of [`ask ${'0'.repeat(32)} upload\n`, 'ask\n', 'GET / HTTP/1.1\r\n\r\n']) {
      assert.equal(await talk(String(address['endpoint']), line), '');
    }
    assert.equal(await talk(String(address['endpoint']), 'x'.repeat(20_000)), '');
    assert.equal(asked, 0);
    assert.equal(
      await talk(String(address['endpoint']), `ask ${String(address['nonce'])} no\n`),
      'free\n',
    );
    await lock.unlock();
  });
});

/** What an endpoint answers until it closes. */
async function talk(endpoint: string, line: string): Promise<string> {
  const socket = connect({ path: endpoint });
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  // Cut off in the middle of what we send.
  socket.on('error', () => undefined);
  socket.write(line);
  await once(socket, 'close', { signal: AbortSignal.timeout(5000) });
  return text;
}
