import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Locker, MemoryLocker } from 'tuskd';
import { describe, expect, it } from 'vitest';
import { startServer } from './server.js';
import { writeStored } from './stored.js';
import { basePath, connect, create, exchange, head, patch, request } from './tus.js';

describe('HEAD', () => {
  it('T-019 T-020: Upload-Offset is there at 0, halfway and at the end', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    expect((await head(server, path)).header('upload-offset')).toBe('0');
    await patch(server, path, 0, 'hel');
    expect((await head(server, path)).header('upload-offset')).toBe('3');
    await patch(server, path, 3, 'lo');
    expect((await head(server, path)).header('upload-offset')).toBe('5');
  });

  it('T-021: Upload-Length is there once the size is known', async () => {
    const server = await startServer();
    expect((await head(server, await create(server, 5))).header('upload-length')).toBe('5');
    const deferred = await create(server, 'deferred');
    expect((await head(server, deferred)).header('upload-length')).toBeUndefined();
  });

  it('T-022 T-024 field 48: an unknown upload is 404, not cached, without offset and body', async () => {
    const server = await startServer();
    const client = await connect(server);
    const response = await exchange(client, 'HEAD', '/files/unknown');
    expect(response.status).toBe(404);
    expect(response.header('upload-offset')).toBeUndefined();
    expect(response.header('cache-control')).toBe('no-store');
    // A body would be taken for the next response.
    expect((await exchange(client, 'OPTIONS', basePath)).status).toBe(200);
  });

  it('T-023 T-024 field 48: success is 200, not cached, without a body', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    await patch(server, path, 0, 'hel');
    const client = await connect(server);
    const response = await exchange(client, 'HEAD', path);
    expect(response.status).toBe(200);
    expect(response.header('cache-control')).toBe('no-store');
    expect(response.header('content-length')).toBeUndefined();
    expect((await exchange(client, 'OPTIONS', basePath)).status).toBe(200);
  });

  it('T-048 T-063: a deferred length is told as Upload-Defer-Length: 1, every time', async () => {
    const server = await startServer();
    const path = await create(server, 'deferred');
    await patch(server, path, 0, 'hel');
    for (let time = 0; time < 2; time += 1) {
      expect((await head(server, path)).header('upload-defer-length')).toBe('1');
    }
  });

  it('T-049: a length that is not deferred has no Upload-Defer-Length', async () => {
    const server = await startServer();
    const known = await create(server, 5);
    expect((await head(server, known)).header('upload-defer-length')).toBeUndefined();
    const declared = await create(server, 'deferred');
    await patch(server, declared, 0, 'hel', { 'Upload-Length': '5' });
    expect((await head(server, declared)).header('upload-defer-length')).toBeUndefined();
  });

  it.each([
    'b Yg==,a YQ==',
    'empty,with_space ,name dGVzdC50eHQ=',
    'binary /wA=,filename c8WCb8WEY2UudHh0',
    '__proto__ cG9sbHV0ZWQ=,constructor',
  ])('T-066 T-068 D-17: Upload-Metadata "%s" comes back to the byte', async (metadata) => {
    const server = await startServer();
    const path = await create(server, 5, { 'Upload-Metadata': metadata });
    expect((await head(server, path)).header('upload-metadata')).toBe(metadata);
    const after = await startServer({ directory: server.directory });
    expect((await head(after, path)).header('upload-metadata')).toBe(metadata);
  });

  it('T-066 D-3: without Upload-Metadata, or with an empty one, HEAD has none', async () => {
    const server = await startServer();
    for (const headers of [{}, { 'Upload-Metadata': '' }]) {
      const path = await create(server, 5, headers);
      expect((await head(server, path)).header('upload-metadata')).toBeUndefined();
    }
  });

  it('T-068: metadata that only tusd wrote is told, whatever its keys', async () => {
    const server = await startServer();
    const MetaData = { filename: 'a', 'słowo klucz': 'b', empty: '' };
    await writeStored(server.directory, 'old', '', { MetaData });
    const response = await head(server, '/files/old');
    expect(response.status).toBe(200);
    expect(response.header('upload-metadata')).toBe('filename YQ==,empty');
  });

  it('D-17: an info file has the keys of tusd, and additions under Tuskd', async () => {
    const server = await startServer();
    const path = await create(server, 5, { 'Upload-Metadata': 'a YQ==' });
    const id = path.slice(basePath.length);
    const text = await readFile(join(server.directory, `${id}.info`), 'utf8');
    const info: unknown = JSON.parse(text);
    expect(info).toEqual({
      ID: id,
      Size: 5,
      SizeIsDeferred: false,
      Offset: 0,
      MetaData: { a: 'a' },
      IsPartial: false,
      IsFinal: false,
      PartialUploads: null,
      Storage: {
        Type: 'filestore',
        Path: join(server.directory, id),
        InfoPath: join(server.directory, `${id}.info`),
      },
      Tuskd: { protocol: 'tus-v1', rawMetadata: 'a YQ==', createdAt: expect.any(Number) },
    });
  });

  it('D-17: what tusd leaves out is not missed', async () => {
    const server = await startServer();
    await writeStored(server.directory, 'old', 'hel', { MetaData: { a: 'a' } });
    const response = await head(server, '/files/old');
    expect(response.header('upload-offset')).toBe('3');
    expect(response.header('upload-metadata')).toBe('a YQ==');
    expect((await patch(server, '/files/old', 3, 'lo')).status).toBe(204);
  });

  it('D-17: a length that tusd declared is known, and one that we declare is known to tusd', async () => {
    const server = await startServer();
    await writeStored(server.directory, 'old', 'hel', { Size: 0, SizeIsDeferred: true });
    expect((await head(server, '/files/old')).header('upload-defer-length')).toBe('1');
    await patch(server, '/files/old', 3, '', { 'Upload-Length': '5' });
    const text = await readFile(join(server.directory, 'old.info'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ Size: 5, SizeIsDeferred: false });
    expect(await server.files()).toEqual(['old', 'old.info']);
  });

  it('D-21: HEAD of an unfinished upload waits for the holder but takes no lock; of a finished one, none is asked', async () => {
    const locker = countingLocker();
    const server = await startServer({ locker });
    const path = await create(server, 5);
    await patch(server, path, 0, 'hel');
    locker.calls.length = 0;
    await whileLocked(locker, path, () => head(server, path));
    expect(locker.calls).toEqual(['lock', 'settle']);
    await request(server, 'GET', path);
    expect(locker.calls).toEqual(['lock', 'settle']);
    await patch(server, path, 3, 'lo');
    locker.calls.length = 0;
    await whileLocked(locker, path, () => head(server, path));
    await request(server, 'GET', path);
    expect(locker.calls).toEqual(['lock']);
  });

  it('D-21: HEAD of an upload that nobody writes to waits for nobody', async () => {
    const locker = countingLocker();
    const server = await startServer({ locker });
    const path = await create(server, 5);
    locker.calls.length = 0;
    expect((await head(server, path)).status).toBe(200);
    expect(locker.calls).toEqual([]);
  });

  it('D-21: GET of an unfinished upload sends the prefix', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    expect((await request(server, 'GET', path)).status).toBe(204);
    await patch(server, path, 0, 'hel');
    expect((await request(server, 'GET', path)).text).toBe('hel');
    await writeFile(join(server.directory, path.slice(basePath.length)), 'hell');
    expect((await request(server, 'GET', path)).text).toBe('hell');
  });
});

/** Does `action` while somebody holds the upload's lock, who lets go when he is asked. */
async function whileLocked(
  locker: Locker,
  path: string,
  action: () => Promise<unknown>,
): Promise<void> {
  let letGo = (): void => undefined;
  const lock = await locker.lock(path.slice(basePath.length), {
    signal: new AbortController().signal,
    requestRelease: () => letGo(),
  });
  letGo = () => void lock.unlock();
  await action();
  await lock.unlock();
}

/** Counts who asks for locks. */
function countingLocker() {
  const inner = new MemoryLocker();
  const calls: string[] = [];
  return {
    calls,
    capabilities: inner.capabilities,
    lock: (...args: Parameters<MemoryLocker['lock']>) => {
      calls.push('lock');
      return inner.lock(...args);
    },
    settle: (...args: Parameters<MemoryLocker['settle']>) => {
      calls.push('settle');
      return inner.settle(...args);
    },
    isLocked: (id: string) => inner.isLocked(id),
  };
}
