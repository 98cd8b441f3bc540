import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { FileStore } from '../../dist/stores/file/file-store.js';
import { bodyOf } from '../../dist/testing/memory-body.js';
import { watchDisk, type Watcher } from '../fakes/watch-disk.js';

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

it('a chunk for whose record a full disk has no room does not count, and takes no room either', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-store-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const store = new FileStore({ directory });
  const draft = { size: 50, metadata: {}, isPartial: false, isFinal: false, parts: [] };
  const upload = await store.newUpload({ id: 'upload', ...draft });
  const bytes = Buffer.alloc(10, 'x');
  await upload.writeChunk(0, bodyOf(bytes), { provisional: true });
  await upload.commitChunk?.();
  const noRoomForRecords: Watcher = ({ name, args, run }) => {
    if (name === 'open' && args[0] === join(directory, 'upload.info.part')) {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    }
    return run();
  };
  await watchDisk(noRoomForRecords, async () => {
    await expect(upload.writeChunk(10, bodyOf(bytes))).rejects.toMatchObject({
      code: 'ERR_STORAGE_FULL',
    });
    await upload.writeChunk(10, bodyOf(bytes), { provisional: true });
    await expect(upload.commitChunk?.()).rejects.toMatchObject({ code: 'ERR_STORAGE_FULL' });
    await upload.discardChunk?.();
  });
  expect((await stat(join(directory, 'upload'))).size).toBe(10);
  expect((await (await store.getUpload('upload')).getInfo()).offset).toBe(10);
});

it('a disk that fills up keeps what fits beside the record that lets it count', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-store-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const store = new FileStore({ directory });
  const KiB = 1024;
  const draft = { size: 900 * KiB, metadata: {}, isPartial: false, isFinal: false, parts: [] };
  const upload = await store.newUpload({ id: 'upload', ...draft });
  const bytes = Buffer.alloc(100 * KiB, 'x');
  await upload.writeChunk(0, bodyOf(bytes), { provisional: true });
  await upload.commitChunk?.();
  let isFull = false;
  const smallDisk: Watcher = ({ name, args, run }) => {
    if (name.startsWith('writev') && args[2] === 400 * KiB) isFull = true;
    else if (name === 'truncate') isFull = false;
    if (!isFull || !/^(?:open|writev)/.test(name)) return run();
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  };
  const body = bodyOf(bytes, bytes, bytes, bytes, bytes);
  const result = await watchDisk(smallDisk, async () => upload.writeChunk(100 * KiB, body));
  expect(result.error).toMatchObject({ code: 'ERR_STORAGE_FULL' });
  expect(result.bytesWritten).toBe(172 * KiB);
  expect((await (await store.getUpload('upload')).getInfo()).offset).toBe(272 * KiB);
});

it('field 31: the record goes with an upload whose data has gone already', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-store-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const draft = { size: 5, metadata: {}, isPartial: false, isFinal: false, parts: [] };
  const upload = await new FileStore({ directory }).newUpload({ id: 'a/b', ...draft });
  await rm(join(directory, 'a/b'));
  await upload.terminate?.();
  expect(await readdir(directory)).toEqual([]);
});
