import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { compose, createHandler, FileStore, MemoryLocker } from 'tuskd';
import { expect, it, onTestFinished } from 'vitest';

const draft = { size: 5, metadata: {}, isPartial: false, isFinal: false, parts: [] };

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-store-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

it('uploads come and go beside others in the same folders, and all folders go in the end', async () => {
  const directory = await newDirectory();
  const store = new FileStore({ directory });
  for (let round = 0; round < 150; round += 1) {
    const turns = ['a/b/x', 'a/b/y', 'a/z', 'a/c/d/e'].map(async (id, index) => {
      const upload = await store.newUpload({ id, ...draft });
      for (let left = (round * (index + 3)) % 7; left > 0; left -= 1) await turnOfTheLoop();
      await upload.terminate?.();
    });
    await Promise.all(turns);
  }
  expect(await readdir(directory)).toEqual([]);
});

it('field 31: the record goes with an upload whose data has gone already', async () => {
  const directory = await newDirectory();
  const upload = await new FileStore({ directory }).newUpload({ id: 'a/b', ...draft });
  await rm(join(directory, 'a/b'));
  await upload.terminate?.();
  expect(await readdir(directory)).toEqual([]);
});

it('field 32: uploads in folders are listed and swept like others', async () => {
  const directory = await newDirectory();
  const core = new FileStore({ directory });
  const ids = ['a', 'b/c', 'b/d/e'];
  for (const id of ids) await core.newUpload({ id, ...draft, expiresAt: 1 });
  await core.newUpload({ id: 'b/d/kept', ...draft });
  const listed: string[] = [];
  for await (const { id, kind } of core.list()) listed.push(`${kind} ${id}`);
  expect(listed.sort()).toEqual([...ids, 'b/d/kept'].map((id) => `upload ${id}`));

  const backend = compose({ core, locker: new MemoryLocker() });
  const handler = createHandler({ backend });
  onTestFinished(() => handler.close());
  expect(await handler.sweep()).toMatchObject({ seen: 4, expired: 3, failed: 0 });
  expect((await readdir(directory, { recursive: true })).sort()).toEqual([
    'b',
    'b/d',
    'b/d/kept',
    'b/d/kept.info',
  ]);
});
