import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, onTestFinished } from 'vitest';
import type { UploadDraft } from '../../dist/core/upload.js';
import { FileStore } from '../../dist/stores/file/file-store.js';
import { bodyOf } from '../../dist/testing/memory-body.js';
import { DyingProcess, watchDisk } from '../fakes/watch-disk.js';

const ownId = '0123456789abcdef0123456789abcdef';
const draft = { size: 5, metadata: {}, isPartial: true, isFinal: false, parts: [] };
const kinds: Readonly<Record<string, Partial<UploadDraft> & { readonly id: string }>> = {
  'an ID of our making': { id: ownId },
  'one of a hook': { id: 'report.pdf' },
  'one with folders': { id: `folder/sub/${ownId}` },
  'one with a place of its own': { id: 'placed', storage: { Path: 'elsewhere/data' } },
};

describe('what a crash leaves behind is found once, and removed', () => {
  for (const [name, wishes] of Object.entries(kinds)) {
    it(`of a creation: ${name}`, async () => {
      const left = await crashEverywhere(wishes.id, async (store) => {
        await store.newUpload({ ...draft, ...wishes });
      });
      // An empty file under somebody's name says nothing of who made it.
      const untold = /^(report\.pdf|elsewhere\/data|\w+\.info\.part|report\.pdf\.info\.part)$/;
      for (const path of left) assert.match(path, untold);
      assert.equal(left.size > 0, name !== 'an ID of our making' && name !== 'one with folders');
    });

    it(`of a removal: ${name}`, async () => {
      const left = await crashEverywhere(
        wishes.id,
        async (store) => {
          await (await store.getUpload(wishes.id)).terminate?.();
        },
        async (store) => {
          const upload = await store.newUpload({ ...draft, ...wishes });
          await upload.writeChunk(0, bodyOf(Buffer.from('12345')));
          await upload.noteAwaitedBy?.('final');
        },
      );
      assert.deepEqual([...left], []);
    });
  }

  it('notes about a part that tusd has removed', async () => {
    const { directory, store } = await newStore();
    for (const id of ['folder/part', 'other', ownId]) {
      const part = await store.newUpload({ ...draft, id });
      await part.noteAwaitedBy?.('final');
      if (id === 'other') continue;
      await rm(join(directory, id));
      await rm(join(directory, `${id}.info`));
    }
    await rm(join(directory, 'folder'), { recursive: true });
    assert.deepEqual(await listed(store), [
      `orphan ${ownId}`,
      'orphan folder/part',
      'upload other',
    ]);
    await store.removeOrphan('folder/part');
    await store.removeOrphan(ownId);
    assert.deepEqual(await listed(store), ['upload other']);
    assert.deepEqual(await (await store.getUpload('other')).awaitedBy?.(), ['final']);
  });
});

it('a creation that was killed at its last step leaves a record that is never written into', async () => {
  const { directory, store } = await newStore();
  const path = join(directory, 'upload.info');
  await store.newUpload({ ...draft, id: 'upload' });
  await link(path, `${path}.part`);
  const before = await readFile(path, 'utf8');
  const seen: string[] = [];
  await watchDisk(
    ({ run }) => {
      seen.push(readFileSync(path, 'utf8'));
      return run();
    },
    async () => (await store.getUpload('upload')).update({ expiresAt: 1 }),
  );
  assert.deepEqual([...new Set(seen)], [before]);
  assert.deepEqual(await readdir(directory), ['upload', 'upload.info']);
});

describe('nothing else is found or removed', () => {
  it('of an upload', async () => {
    const { directory, store } = await newStore();
    for (const id of [ownId, 'report.pdf', `folder/${ownId}`]) {
      const upload = await store.newUpload({ ...draft, id });
      await upload.writeChunk(0, bodyOf(Buffer.from('123')));
      await upload.noteAwaitedBy?.('final');
      // Left over by a change that was cut short.
      await writeFile(join(directory, `${id}.info.part`), '{"ID":"');
      await store.removeOrphan(id);
      const found = await store.getUpload(id);
      assert.equal((await found.getInfo()).offset, 3);
      assert.deepEqual(await found.awaitedBy?.(), ['final']);
    }
    assert.deepEqual(await listed(store), [
      `upload ${ownId}`,
      `upload folder/${ownId}`,
      'upload report.pdf',
    ]);
  });

  it('of others', async () => {
    const { directory, store } = await newStore();
    await mkdir(join(directory, 'folder', ownId), { recursive: true });
    await mkdir(join(directory, '.tuskd', 'awaited'), { recursive: true });
    const foreign = {
      'photo.jpg': 'a photo',
      'photo.jpg.info.part': 'half a download',
      'empty.info.part': '',
      'other.info.part': '{"ID":"photo.jpg",',
      [`${ownId}.info`]: 'not a record',
      [ownId]: 'beside something that may be one',
      '.tuskd/0123-0': "a locker's",
      '.tuskd/awaited/strange': 'not a note',
    };
    for (const [path, content] of Object.entries(foreign)) {
      await writeFile(join(directory, path), content);
    }
    const before = await readdir(directory, { recursive: true });
    assert.deepEqual(await listed(store), []);
    for (const id of ['photo.jpg', 'empty', 'other', ownId, `folder/${ownId}`, 'folder', 'none']) {
      await store.removeOrphan(id);
    }
    assert.deepEqual(await readdir(directory, { recursive: true }), before);
  });

  it('of others who took the place of the data', async () => {
    const { directory, store } = await newStore();
    const path = join(directory, 'report.pdf');
    await store.newUpload({ ...draft, id: 'report.pdf' });
    await rename(`${path}.info`, `${path}.info.part`);
    await rm(path);
    const record = await stat(`${path}.info.part`);
    // The clock of a file system is coarse.
    do await writeFile(path, 'a report');
    while ((await stat(path)).ctimeMs <= record.ctimeMs);
    assert.deepEqual(await listed(store), ['orphan report.pdf']);
    await store.removeOrphan('report.pdf');
    assert.deepEqual(await readdir(directory), ['report.pdf']);
  });
});

/** Kills `work` at every moment, removes all orphans, and gives the files that are still there afterwards. */
async function crashEverywhere(
  id: string,
  work: (store: FileStore) => Promise<void>,
  prepare?: (store: FileStore) => Promise<void>,
): Promise<Set<string>> {
  const left = new Set<string>();
  for (let fatal = 0; ; fatal += 1) {
    const { directory, store } = await newStore();
    await prepare?.(store);
    const process = new DyingProcess(fatal);
    await watchDisk(process.watch, async () => work(store)).catch((error: unknown) => {
      if (!process.hasDied) throw error;
    });
    const next = new FileStore({ directory });
    const found = await listed(next);
    assert.ok(found.length <= 1, found.join(', '));
    const isUpload = found[0]?.startsWith('upload') === true;
    for (const item of found) assert.equal(item, `${isUpload ? 'upload' : 'orphan'} ${id}`);
    if (isUpload) await (await next.getUpload(id)).terminate?.();
    else if (found.length > 0) await next.removeOrphan(id);
    assert.deepEqual(await listed(next), []);
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(directory.length + 1);
      if (entry.isFile()) left.add(path);
      // Empty folders: the operator's own, or made just before the end.
      else assert.match(path, prepare ? /^elsewhere/ : /^(elsewhere|folder)/);
    }
    if (!process.hasDied) {
      assert.ok(fatal > 2, `${fatal} moments`);
      return left;
    }
  }
}

async function newStore(): Promise<{ directory: string; store: FileStore }> {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-orphans-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return { directory, store: new FileStore({ directory }) };
}

async function listed(store: FileStore): Promise<string[]> {
  const items: string[] = [];
  for await (const { kind, id } of store.list()) items.push(`${kind} ${id}`);
  return items.sort();
}
