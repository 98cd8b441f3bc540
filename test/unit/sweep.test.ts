import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  compose,
  createHandler,
  FileLocker,
  FileStore,
  type HandlerOptions,
  MemoryLocker,
  type SweptItem,
  wrapStore,
} from 'tuskd';
import { describe, expect, it } from 'vitest';
import { recordingHooks } from '../protocol/hooks.js';
import { listDirectory } from '../protocol/list-directory.js';
import { startServer, temporaryDirectory } from '../protocol/server.js';
import { writeStored } from '../protocol/stored.js';
import { basePath, chunkType, connect, lengthHeader, requestHead } from '../protocol/tus.js';
import { LockProcess } from '../fakes/lock-process.js';

const hour = 3_600_000;
const longAgo = new Date(Date.now() - 100 * hour);

async function age(...paths: string[]): Promise<void> {
  for (const path of paths) await utimes(path, longAgo, longAgo);
}

/** An upload directory with an expired, a finished and a young upload, and a file of somebody else's. */
async function fill(): Promise<string> {
  const directory = await temporaryDirectory();
  await writeStored(directory, 'expired', 'he');
  await writeStored(directory, 'finished', 'hello', { Tuskd: { expiresAt: 1 } });
  await writeStored(directory, 'young', 'he');
  await mkdir(join(directory, 'folder'));
  await writeStored(directory, 'folder/expired', '', { Tuskd: { expiresAt: 1 } });
  await writeFile(join(directory, 'foreign.txt'), 'x');
  await age(
    join(directory, 'expired'),
    join(directory, 'finished'),
    join(directory, 'foreign.txt'),
  );
  return directory;
}

function handlerFor(directory: string, options: Partial<HandlerOptions> = {}) {
  const backend = compose({ core: new FileStore({ directory }), locker: new MemoryLocker() });
  return createHandler({ backend, expireAfterMs: hour, ...options });
}

const remaining = ['finished', 'finished.info', 'foreign.txt', 'young', 'young.info'];

describe('a sweep', () => {
  it('T-084 T-086 field 27 field 32: removes expired uploads, nested ones too, and nothing else', async () => {
    const directory = await fill();
    const items: SweptItem[] = [];
    const report = await handlerFor(directory).sweep({ onItem: (item) => items.push(item) });
    expect(report).toMatchObject({ seen: 4, expired: 2, expiredBytes: 2, inUse: 0, failed: 0 });
    expect(items).toEqual(
      expect.arrayContaining([
        { id: 'expired', kind: 'expired', bytes: 2 },
        { id: 'folder/expired', kind: 'expired', bytes: 0 },
      ]),
    );
    expect(await listDirectory(directory)).toEqual(remaining);
    expect((await handlerFor(directory).sweep()).expired).toBe(0);
  });

  it('only tells in a dry run', async () => {
    const directory = await fill();
    const before = await listDirectory(directory);
    const report = await handlerFor(directory).sweep({ dryRun: true });
    expect(report).toMatchObject({ expired: 2, expiredBytes: 2 });
    expect(await listDirectory(directory)).toEqual(before);
  });

  it('leaves an upload that is in use, and asks nobody to let go', async () => {
    const directory = await fill();
    const locker = new MemoryLocker();
    let asked = 0;
    const lock = await locker.lock('expired', {
      signal: new AbortController().signal,
      requestRelease: () => (asked += 1),
    });
    const backend = compose({ core: new FileStore({ directory }), locker });
    const handler = createHandler({ backend, expireAfterMs: hour });
    expect(await handler.sweep()).toMatchObject({ expired: 1, inUse: 1 });
    expect([asked, (await listDirectory(directory)).includes('expired')]).toEqual([0, true]);
    await lock.unlock();
    expect(await handler.sweep()).toMatchObject({ expired: 1, inUse: 0 });
  });

  it('leaves an upload that another process receives with the request that makes it', async () => {
    const expiring = { expireAfterMs: 1, expiry: 'absolute' } as const;
    const server = await startServer({ locker: 'files', ...expiring });
    const { directory } = server;
    const client = await connect(server);
    const headers = { ...chunkType, ...lengthHeader(10), 'Content-Length': '10' };
    await client.send(`${requestHead('POST', basePath, { headers })}hello`);
    await expect.poll(() => server.log.map(({ event }) => event)).toContain('ChunkWriteStart');
    const locker = new FileLocker({ directory });
    const backend = compose({ core: new FileStore({ directory }), locker });
    const handler = createHandler({ backend, ...expiring });
    await expect.poll(() => handler.sweep()).toMatchObject({ expired: 0, inUse: 1 });
    await locker.close();
    await client.send('world');
    expect((await client.response()).status).toBe(201);
  });

  it('puts nothing together where locks tell nothing of who may be at it', async () => {
    const directory = await temporaryDirectory();
    const store = new FileStore({ directory });
    const draft = { size: 0, metadata: {}, isPartial: true, isFinal: false, parts: [] };
    const part = await store.newUpload({ ...draft, id: 'part' });
    await store.newUpload({
      ...draft,
      id: 'whole',
      size: undefined,
      isPartial: false,
      isFinal: true,
      parts: ['part'],
    });
    await part.noteAwaitedBy?.('whole');
    // It has waited for longer than uploads may stay unfinished; its part took so long.
    await age(join(directory, 'whole'));
    const sizeOf = async (): Promise<number | undefined> =>
      (await (await store.getUpload('whole')).getInfo()).size;
    expect(await handlerFor(directory).sweep({ quietMs: 1 })).toMatchObject({ expired: 0 });
    expect(await sizeOf()).toBeUndefined();
    await handlerFor(directory).sweep();
    expect(await sizeOf()).toBe(0);
  });

  it('looks again under the lock: an upload that went on meanwhile stays', async () => {
    const directory = await fill();
    const store = new FileStore({ directory });
    let looks = 0;
    const backend = compose({
      core: wrapStore(store, {
        upload: (upload) => ({
          getInfo: async () => {
            const info = await upload.getInfo();
            // A request that came just in time.
            if (upload.id !== 'expired') return info;
            looks += 1;
            return looks === 1 ? info : { ...info, modifiedAt: Date.now() };
          },
        }),
      }),
      locker: new MemoryLocker(),
    });
    expect(await createHandler({ backend, expireAfterMs: hour }).sweep()).toMatchObject({
      expired: 1,
    });
    expect([looks, (await listDirectory(directory)).includes('expired')]).toEqual([2, true]);
  });

  it('removes each once where two sweep at the same time', async () => {
    const directory = await temporaryDirectory();
    const ids = Array.from({ length: 200 }, (_, index) => `upload-${index}`);
    for (const id of ids) await writeStored(directory, id, '', { Tuskd: { expiresAt: 1 } });
    const sweepers = [1, 2].map(() => {
      const locker = new FileLocker({ directory });
      const backend = compose({ core: new FileStore({ directory }), locker });
      return { locker, handler: createHandler({ backend, expireAfterMs: hour }) };
    });
    const reports = await Promise.all(sweepers.map(({ handler }) => handler.sweep()));
    expect(reports.map(({ failed }) => failed)).toEqual([0, 0]);
    const expired = reports.reduce((sum, report) => sum + report.expired, 0);
    // One that the other has just locked counts as in use there.
    expect(expired).toBe(200);
    for (const { locker } of sweepers) await locker.close();
    expect(await listDirectory(directory)).toEqual([]);
  });

  it('goes on after one that fails, and says which', async () => {
    const directory = await fill();
    const backend = compose({
      core: wrapStore(new FileStore({ directory }), {
        upload: (upload) => ({
          terminate: async (options) => {
            if (upload.id === 'expired') throw new Error('disk on fire');
            await upload.terminate?.(options);
          },
        }),
      }),
      locker: new MemoryLocker(),
    });
    const items: SweptItem[] = [];
    const report = await createHandler({ backend, expireAfterMs: hour }).sweep({
      onItem: (item) => items.push(item),
    });
    expect(report).toMatchObject({ expired: 1, failed: 1 });
    expect(items).toContainEqual({
      id: 'expired',
      kind: 'failed',
      error: expect.objectContaining({ message: 'disk on fire' }),
    });
  });

  it('ends when it is told to', async () => {
    const directory = await fill();
    const ended = new AbortController();
    const sweep = handlerFor(directory).sweep({
      signal: ended.signal,
      onItem: () => ended.abort(new Error('enough')),
    });
    await expect(sweep).rejects.toThrow('enough');
    expect(await listDirectory(directory)).toContain('young');
  });

  it('tells hooks of what has gone, without a request', async () => {
    const directory = await fill();
    const hooks = recordingHooks();
    await handlerFor(directory, { hooks }).sweep();
    expect(hooks.calls).toEqual(['post-terminate', 'post-terminate']);
    expect(hooks.published[0]?.request).toEqual({
      method: '',
      uri: '',
      remoteAddress: '',
      headers: {},
    });
  });

  it('comes by itself where an interval is set, and ends with the handler', async () => {
    const directory = await fill();
    const handler = handlerFor(directory, { sweepIntervalMs: 1 });
    await expect.poll(() => listDirectory(directory)).toEqual(remaining);
    await writeStored(directory, 'next', '', { Tuskd: { expiresAt: 1 } });
    await expect.poll(() => listDirectory(directory)).toEqual(remaining);
    await handler.close();
    await writeStored(directory, 'late', '', { Tuskd: { expiresAt: 1 } });
    // The last one that could still run has ended with close().
    expect(await listDirectory(directory)).toContain('late');
  });

  it('removes nothing where nothing expires', async () => {
    const directory = await fill();
    const before = await listDirectory(directory);
    const off = handlerFor(directory, { disableExtensions: ['expiration'] });
    expect(await off.sweep()).toMatchObject({ seen: 4, expired: 0 });
    expect(await listDirectory(directory)).toEqual(before);
  });

  it('removes the locks of processes that were killed, of finished uploads too', async () => {
    const directory = await fill();
    const child = await LockProcess.open({ directory });
    for (const id of ['finished', 'expired', 'folder/expired']) await child.lock(id);
    await writeFile(join(directory, 'other.lock'), '1\n');
    await writeFile(join(directory, 'package.lock'), '{}');
    const locker = new FileLocker({ directory });
    const backend = compose({ core: new FileStore({ directory }), locker });
    const handler = createHandler({ backend, expireAfterMs: hour });
    expect(await handler.sweep()).toMatchObject({ locks: 0, expired: 0, inUse: 2 });
    await child.kill();
    expect(await handler.sweep({ dryRun: true })).toMatchObject({ locks: 3 });
    expect(await handler.sweep()).toMatchObject({ locks: 3, expired: 2, inUse: 0 });
    await locker.close();
    expect(await listDirectory(directory)).toEqual(
      [...remaining, 'other.lock', 'package.lock'].sort(),
    );
  });

  it('completes a final upload whose parts are all here, and removes one that waits in vain', async () => {
    const directory = await temporaryDirectory();
    await writeStored(directory, 'part', 'hello', { IsPartial: true });
    await writeStored(directory, 'old', 'hello', { IsPartial: true });
    await writeStored(directory, 'unfinished', 'he', { IsPartial: true });
    for (const [id, parts] of Object.entries({
      whole: ['part', 'part'],
      waiting: ['part', 'unfinished'],
      hopeless: ['part', 'gone'],
      // Their POST was killed: nobody has noted that they wait, and nobody was told of them.
      forgotten: ['old', 'old'],
      fresh: ['part', 'part'],
    })) {
      await writeStored(directory, id, '', { IsFinal: true, Size: 10, PartialUploads: parts });
    }
    const aged = ['old', 'forgotten', 'whole', 'waiting'];
    await age(...aged.map((id) => join(directory, id)));
    const store = new FileStore({ directory });
    await (await store.getUpload('part')).noteAwaitedBy?.('whole');
    const report = await handlerFor(directory).sweep();
    expect(report).toMatchObject({ seen: 8, expired: 2, failed: 0 });
    expect(await readFile(join(directory, 'whole'), 'utf8')).toBe('hellohello');
    const names = await listDirectory(directory);
    for (const id of ['waiting', 'fresh']) expect(names).toContain(id);
    for (const id of ['hopeless', 'forgotten']) expect(names).not.toContain(id);
    expect(names).not.toContain('hopeless.info');
  });

  it('removes finished parts that nobody needs only where parts are removed anyway', async () => {
    const directory = await temporaryDirectory();
    for (const id of ['abandoned', 'awaited', 'other']) {
      await writeStored(directory, id, 'hello', { IsPartial: true });
    }
    await age(join(directory, 'abandoned'), join(directory, 'awaited'));
    await writeStored(directory, 'unfinished', 'he', { IsPartial: true });
    await writeStored(directory, 'waiting', '', {
      IsFinal: true,
      Size: 10,
      PartialUploads: ['awaited', 'unfinished'],
    });
    const store = new FileStore({ directory });
    await (await store.getUpload('awaited')).noteAwaitedBy?.('waiting');
    expect(await handlerFor(directory).sweep()).toMatchObject({ expired: 0 });
    expect(await handlerFor(directory, { removeParts: true }).sweep()).toMatchObject({
      expired: 1,
      failed: 0,
    });
    const names = await listDirectory(directory);
    expect(names).not.toContain('abandoned');
    for (const id of ['awaited', 'other', 'unfinished', 'waiting']) expect(names).toContain(id);
  });
});
