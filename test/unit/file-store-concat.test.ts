import assert from 'node:assert/strict';
import { appendFile, mkdtemp, open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, onTestFinished } from 'vitest';
import type { Upload } from '../../dist/core/data-store.js';
import type { UploadInfo } from '../../dist/core/upload.js';
import { FileStore } from '../../dist/stores/file/file-store.js';
import { bodyOf } from '../../dist/testing/memory-body.js';
import { DyingProcess, type DiskCall, watchDisk, type Watcher } from '../fakes/watch-disk.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
/** A part of several pieces, one of none, one of a few bytes. */
const lengths = [2 * MiB + 77, 0, 100 * KiB, MiB];
const size = lengths.reduce((sum, length) => sum + length, 0);
const content = Buffer.from(
  Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) % 251),
);

describe('concatenation on a disk', () => {
  it('a crash at any moment leaves the start of the whole, and the next run the rest', async () => {
    const { directory, store } = await newStore();
    const parts = await makeParts(store);
    for (let fatal = 0; ; fatal += 1) {
      const process = new DyingProcess(fatal);
      const final = await makeFinal(store, size);
      const died = watchDisk(process.watch, async () => concat(final, parts));
      const [result] = await Promise.allSettled([died]);
      assert.equal(result.status === 'rejected', process.hasDied);
      const next = await new FileStore({ directory }).getUpload(final.id);
      const { offset } = await next.getInfo();
      const path = join(directory, final.id);
      assert.ok((await readFile(path)).equals(content.subarray(0, offset)));
      await concat(next, parts);
      assert.ok((await readFile(path)).equals(content));
      await next.terminate?.();
      if (!process.hasDied) return assert.ok(fatal > 20, `${fatal} moments`);
    }
  });

  it('takes nothing of a part that does not count', async () => {
    const { directory, store } = await newStore();
    const part = await makePart(store, content.subarray(0, 100));
    await appendFile(join(directory, part.id), 'left over');
    const final = await makeFinal(store, 200);
    await concat(final, [part, part]);
    const twice = Buffer.concat([content.subarray(0, 100), content.subarray(0, 100)]);
    assert.ok((await readFile(join(directory, final.id))).equals(twice));
  });

  it('goes on where it was given up', async () => {
    const { directory, store } = await newStore();
    const parts = await makeParts(store);
    const final = await makeFinal(store, size);
    const controller = new AbortController();
    const givenUp = watchDisk(
      (call) => {
        if (call.name === 'writevAside') controller.abort();
        return call.run();
      },
      async () => final.concat?.(parts, { signal: controller.signal }),
    );
    await assert.rejects(givenUp, { name: 'AbortError' });
    const next = await store.getUpload(final.id);
    assert.equal((await next.getInfo()).offset, MiB);
    const written: unknown[] = [];
    await watchDisk(
      (call) => {
        if (call.name === 'writevAside') written.push(call.args[2]);
        return call.run();
      },
      async () => concat(next, parts),
    );
    assert.equal(written[0], MiB);
    assert.ok((await readFile(join(directory, final.id))).equals(content));
  });

  it('is exact beyond 4 GiB', async () => {
    const { directory, store } = await newStore();
    const last = content.subarray(0, 1000);
    const part = await makePart(store, last);
    const large = await makePart(store, last);
    const largeSize = 4 * GiB + 1000;
    // Holes take no room, and what the final has already of them is not copied.
    await truncate(join(directory, large.id), 0);
    await truncate(join(directory, large.id), 4 * GiB);
    await appendFile(join(directory, large.id), last);
    const final = await makeFinal(store, largeSize + 1000);
    await truncate(join(directory, final.id), 4 * GiB - 10);
    const found = await store.getUpload(final.id);
    await concat(found, [{ ...large, offset: largeSize }, part]);
    const file = await open(join(directory, final.id));
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 4 * GiB - 10);
    await file.close();
    const expected = Buffer.concat([Buffer.alloc(10), last, last]);
    assert.ok(buffer.subarray(0, bytesRead).equals(expected));
  });

  it('of hundreds of parts opens a bounded number of them', async () => {
    const { directory, store } = await newStore();
    const part = await makePart(store, Buffer.from('x'));
    const parts = Array.from({ length: 300 }, () => part);
    const final = await makeFinal(store, parts.length);
    let count = 0;
    let highest = 0;
    await watchDisk(
      ({ name, run }) => {
        if (name === 'open') highest = Math.max(highest, ++count);
        if (name === 'close') count -= 1;
        return run();
      },
      async () => concat(final, parts),
    );
    assert.equal(await readFile(join(directory, final.id), 'utf8'), 'x'.repeat(300));
    assert.ok(highest <= 70, `${highest} open files`);
    assert.equal(count, 0);
  });
});

describe.skipIf(process.platform !== 'linux')('field 30: no descriptor is left', () => {
  it('when all went well', async () => {
    const { store } = await newStore();
    const parts = await makeParts(store);
    const final = await makeFinal(store, size);
    await assertNoLeak(async () => concat(final, parts));
  });

  it('when a part has gone, and the final is as it was', async () => {
    const { directory, store } = await newStore();
    const parts = await makeParts(store);
    for (const index of [0, 2, 3]) {
      const gone = await makePart(store, Buffer.from('gone'));
      await (await store.getUpload(gone.id)).terminate?.();
      const list = parts.map((part, at) => (at === index ? gone : part));
      const final = await makeFinal(store, size);
      await assertNoLeak(async () => {
        await assert.rejects(concat(final, list), { code: 'ERR_UPLOAD_NOT_FOUND' });
      });
      await assertEmpty(directory, store, final.id);
    }
  });

  it('when the disk is full, and the space is free again', async () => {
    const { directory, store } = await newStore();
    const parts = await makeParts(store);
    const final = await makeFinal(store, size);
    await assertNoLeak(async () => {
      const full = watchDisk(failing('ENOSPC', 2), async () => concat(final, parts));
      await assert.rejects(full, { code: 'ERR_STORAGE_FULL' });
    });
    await assertEmpty(directory, store, final.id);
    await concat(await store.getUpload(final.id), parts);
    assert.ok((await readFile(join(directory, final.id))).equals(content));
  });

  it('when the disk breaks, or a part is shorter than it was', async () => {
    const { directory, store } = await newStore();
    const parts = await makeParts(store);
    const final = await makeFinal(store, size);
    const [first] = parts;
    assert.ok(first);
    await assertNoLeak(async () => {
      const broken = watchDisk(failing('EIO', 1), async () => concat(final, parts));
      await assert.rejects(broken, { code: 'EIO' });
      await truncate(join(directory, first.id), 5);
      await assert.rejects(concat(final, parts), /ends at 5, not at/);
    });
    await assertEmpty(directory, store, final.id);
  });
});

describe('notes of who waits for a part', () => {
  it('survive a line that was cut short', async () => {
    const { directory, store } = await newStore();
    const part = await makePart(store, Buffer.from('x'));
    const upload = await store.getUpload(part.id);
    await upload.noteAwaitedBy?.('one');
    const folder = join(directory, '.tuskd', 'awaited');
    const [name = ''] = await readdir(folder);
    await appendFile(join(folder, name), '\n["cut');
    await upload.noteAwaitedBy?.('two');
    assert.deepEqual(await upload.awaitedBy?.(), ['one', 'two']);
    await upload.terminate?.();
    assert.deepEqual(await readdir(directory), []);
  });

  it('are none for a part that has gone', async () => {
    const { directory, store } = await newStore();
    const { id } = await makePart(store, Buffer.from('x'));
    const upload = await store.getUpload(id);
    await (await store.getUpload(id)).terminate?.();
    await assert.rejects(async () => upload.noteAwaitedBy?.('final'), {
      code: 'ERR_UPLOAD_NOT_FOUND',
    });
    assert.deepEqual(await readdir(directory), []);
  });

  it('come at once, while others are taken away', async () => {
    const { directory, store } = await newStore();
    for (let round = 0; round < 30; round += 1) {
      const parts = await Promise.all(
        [1, 2, 3, 4].map(async () => store.newUpload({ ...draft, size: 1, isPartial: true })),
      );
      await Promise.all(
        parts.map(async (part, index) => {
          await part.noteAwaitedBy?.('final');
          if (index % 2 === 0) await part.terminate?.();
        }),
      );
      for (const part of parts.filter((_, index) => index % 2 === 1)) {
        assert.deepEqual(await part.awaitedBy?.(), ['final']);
        await part.terminate?.();
      }
    }
    assert.deepEqual(await readdir(directory), []);
  });
});

const draft = { metadata: {}, isPartial: false, isFinal: false, parts: [] };

async function newStore(): Promise<{ directory: string; store: FileStore }> {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-concat-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return { directory, store: new FileStore({ directory }) };
}

async function makeParts(store: FileStore): Promise<UploadInfo[]> {
  const parts: UploadInfo[] = [];
  let start = 0;
  for (const length of lengths) {
    parts.push(await makePart(store, content.subarray(start, start + length)));
    start += length;
  }
  return parts;
}

async function makePart(store: FileStore, bytes: Buffer): Promise<UploadInfo> {
  const part = await store.newUpload({ ...draft, size: bytes.length, isPartial: true });
  await part.writeChunk(0, bodyOf(bytes));
  return part.getInfo();
}

async function makeFinal(store: FileStore, finalSize: number): Promise<Upload> {
  return store.newUpload({ ...draft, size: finalSize, isFinal: true });
}

async function concat(final: Upload, parts: readonly UploadInfo[]): Promise<void> {
  if (!final.concat) assert.fail('the file store can concatenate');
  await final.concat(parts);
}

/** A disk that fails at the copy's write number `fatal`. */
function failing(code: string, fatal: number): Watcher {
  let writes = 0;
  return ({ name, run }: DiskCall) => {
    if (name !== 'writevAside' || writes++ < fatal) return run();
    throw Object.assign(new Error(code), { code });
  };
}

async function assertNoLeak(work: () => Promise<void>): Promise<void> {
  const before = await readdir('/proc/self/fd');
  await work();
  assert.equal((await readdir('/proc/self/fd')).length, before.length);
}

async function assertEmpty(directory: string, store: FileStore, id: string): Promise<void> {
  assert.equal((await stat(join(directory, id))).size, 0);
  assert.equal((await (await store.getUpload(id)).getInfo()).offset, 0);
}
