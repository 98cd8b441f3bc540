import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { FileStore } from 'tuskd';
import { expect, it, onTestFinished } from 'vitest';

it('uploads come and go beside others in the same folders, and all folders go in the end', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-store-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const store = new FileStore({ directory });
  const draft = { size: 5, metadata: {}, isPartial: false, isFinal: false, parts: [] };
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
