import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeDataStore } from '../../dist/testing/data-store-suite.js';
import { describe, it } from 'vitest';
import { FileStore } from '../../dist/stores/file/file-store.js';
import { MemoryStore } from '../../dist/stores/memory/memory-store.js';
import { PartBucket } from '../fakes/part-bucket.js';
import { PartStore } from '../fakes/part-store.js';

const api = { describe, it };

describeDataStore(api, {
  name: 'MemoryStore',
  capabilities: new MemoryStore().capabilities,
  open: async () => ({ store: new MemoryStore(), close: async () => undefined }),
  openWithRoom: async (maxBytes) => ({
    store: new MemoryStore({ maxBytes }),
    close: async () => undefined,
  }),
});

describeDataStore(api, {
  name: 'FileStore',
  capabilities: new FileStore({ directory: '.' }).capabilities,
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'tuskd-stores-'));
    return {
      store: new FileStore({ directory }),
      reopen: async () => new FileStore({ directory }),
      plantForeign: () => plantForeignFiles(directory),
      close: () => rm(directory, { recursive: true, force: true }),
    };
  },
});

describeDataStore(api, {
  name: 'PartStore',
  capabilities: new PartStore(new PartBucket(0)).capabilities,
  async open() {
    const bucket = new PartBucket(64 * 1024);
    return {
      store: new PartStore(bucket),
      reopen: async () => new PartStore(bucket),
      plantForeign: () => plantForeignObjects(bucket),
      failNextFinish: () => bucket.failNext('completeMultipart'),
      close: async () => undefined,
    };
  },
});

/** What else lies in an upload directory: files of other programs, and the locker's. */
async function plantForeignFiles(directory: string): Promise<void> {
  await mkdir(join(directory, 'folder', 'empty'), { recursive: true });
  await writeFile(join(directory, 'README.txt'), 'not an upload');
  await writeFile(join(directory, 'folder', 'photo.jpg'), 'not an upload either');
  await writeFile(join(directory, 'folder', 'settings.info'), 'not JSON');
  await writeFile(join(directory, 'other.info'), '{"Name":"not an upload"}');
  await writeFile(join(directory, 'some.lock'), '1');
}

async function plantForeignObjects(bucket: PartBucket): Promise<void> {
  for (const key of ['photo.jpg', 'folder/other.info', 'numbers.part']) {
    await bucket.putObject(key, Buffer.from('12'));
  }
  await bucket.createMultipart('unfinished');
}
