import { type DataStore, wrapStore } from 'tuskd';
import { describe, expect, it } from 'vitest';
import { openFilesIn } from './open-files.js';
import { startServer } from './server.js';
import { writeStored } from './stored.js';
import { connect, create, download, exchange, head, patch, request, requestHead } from './tus.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('GET', () => {
  it('sends what is stored, with its type', async () => {
    const server = await startServer();
    const metadata = `filename ${base64('a.txt')},filetype ${base64('text/plain')}`;
    const path = await create(server, 5, { 'Upload-Metadata': metadata });
    await patch(server, path, 0, 'hello');
    const response = await request(server, 'GET', path);
    expect([response.status, response.text]).toEqual([200, 'hello']);
    expect(response.header('content-type')).toBe('text/plain');
    expect(response.header('content-disposition')).toBe('inline; filename="a.txt"');
    expect(response.header('x-content-type-options')).toBe('nosniff');
  });

  it('tells the length, so that a client knows when bytes are missing', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    await patch(server, path, 0, 'hello');
    expect((await request(server, 'GET', path)).header('content-length')).toBe('5');
  });

  it('204 where nothing is stored yet, 404 where nothing is known, 405 where it is off', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    expect((await request(server, 'GET', path)).status).toBe(204);
    expect((await request(server, 'GET', '/files/unknown')).status).toBe(404);
    const off = await startServer({ disableDownload: true, directory: server.directory });
    const response = await request(off, 'GET', path);
    expect([response.status, response.header('allow')]).toEqual([
      405,
      'OPTIONS, HEAD, PATCH, DELETE',
    ]);
  });

  it.each([
    ['słońce.txt', `attachment; filename="s_o_ce.txt"; filename*=UTF-8''s%C5%82o%C5%84ce.txt`],
    [`a"b\\c.txt`, `attachment; filename="a_b_c.txt"; filename*=UTF-8''a%22b%5Cc.txt`],
    [
      'a\r\nSet-Cookie: x=y',
      `attachment; filename="a__Set-Cookie: x=y"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x%3Dy`,
    ],
    ['\u0000', `attachment; filename="_"; filename*=UTF-8''%00`],
    ['', 'attachment'],
  ])('T-057 field 52: the file name %j injects nothing', async (name, expected) => {
    const server = await startServer();
    const path = await create(server, 5, { 'Upload-Metadata': `filename ${base64(name)}` });
    await patch(server, path, 0, 'hello');
    const response = await request(server, 'GET', path);
    expect(response.header('content-disposition')).toBe(expected);
    expect(response.header('set-cookie')).toBeUndefined();
  });

  it('T-057 field 52: a file name that is no Unicode injects nothing', async () => {
    const server = await startServer();
    await writeStored(server.directory, 'lone', 'hello', { MetaData: { filename: '\ud800' } });
    expect((await request(server, 'GET', '/files/lone')).status).toBe(200);
    const path = await create(server, 5, { 'Upload-Metadata': 'filename /w3/Cv8=' });
    await patch(server, path, 0, 'hello');
    expect((await request(server, 'GET', path)).status).toBe(200);
  });

  it.each([
    ['text/html', 'text/html', 'attachment'],
    ['image/svg+xml', 'image/svg+xml', 'attachment'],
    ['text/html\r\nSet-Cookie: x=y', 'application/octet-stream', 'attachment'],
    ['text', 'application/octet-stream', 'attachment'],
    ['IMAGE/PNG; a=b', 'IMAGE/PNG; a=b', 'inline'],
    ['video/mp4', 'video/mp4', 'inline'],
  ])('T-057 field 52: the type %j is sent as %s, %s', async (type, sent, disposition) => {
    const server = await startServer();
    const path = await create(server, 5, { 'Upload-Metadata': `filetype ${base64(type)}` });
    await patch(server, path, 0, 'hello');
    const response = await request(server, 'GET', path);
    expect(response.header('content-type')).toBe(sent);
    expect(response.header('content-disposition')).toBe(disposition);
  });

  it('HEAD by override of GET, and GET by override of HEAD, keep the connection in step', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    await patch(server, path, 0, 'hello');
    const client = await connect(server);
    const headers = { 'X-HTTP-Method-Override': 'GET' };
    expect((await exchange(client, 'HEAD', path, { headers })).status).toBe(200);
    expect((await exchange(client, 'GET', path)).text).toBe('hello');
  });

  it('field 9: two slow downloads hold up neither each other nor anybody else', async () => {
    const server = await startServer();
    const size = 32 * 1024 * 1024;
    const path = await create(server, size);
    await patch(server, path, 0, Buffer.alloc(size, 'x'));
    const slow = await Promise.all([connect(server), connect(server)]);
    for (const client of slow) {
      client.socket.pause();
      await client.send(requestHead('GET', path));
    }
    const began = performance.now();
    expect((await head(server, path)).status).toBe(200);
    const other = await create(server, 5);
    expect((await patch(server, other, 0, 'hello')).status).toBe(204);
    expect((await download(server, other)).toString()).toBe('hello');
    expect(performance.now() - began).toBeLessThan(5000);
    expect((await download(server, path)).length).toBe(size);
    for (const client of slow) {
      client.socket.resume();
      expect((await client.response()).body.length).toBe(size);
    }
  });

  it('field 9: however a client goes, nothing stays open of what it downloaded', async (context) => {
    context.skip(process.platform !== 'linux', 'only Linux tells what a process has open');
    const server = await startServer();
    const size = 32 * 1024 * 1024;
    const path = await create(server, size);
    await patch(server, path, 0, Buffer.alloc(size, 'x'));
    const clients = await Promise.all([connect(server), connect(server), connect(server)]);
    const [slow, ...leaving] = clients;
    for (const [index, client] of clients.entries()) {
      client.socket.pause();
      const headers = { Range: `bytes=${index}-` };
      await client.send(requestHead('GET', path, { headers }));
    }
    const open = async () => (await openFilesIn(server.directory)).length;
    await expect.poll(open).toBe(3);
    leaving[0]?.reset();
    await leaving[1]?.close();
    await expect.poll(open).toBe(1);
    slow?.socket.resume();
    expect((await slow?.response())?.body.length).toBe(size);
    await expect.poll(open).toBe(0);
  });

  it('a download that its client breaks off leaves no descriptor', async () => {
    const streams: { destroyed: boolean }[] = [];
    const watch = (store: DataStore) =>
      wrapStore(store, {
        upload: (upload) => ({
          read: async (range, options) => {
            const result = await upload.read?.(range, options);
            if (result === undefined || !('stream' in result)) throw new Error('not readable');
            streams.push(result.stream);
            return result;
          },
        }),
      });
    const server = await startServer({ wrapStore: watch });
    const size = 8 * 1024 * 1024;
    const path = await create(server, size);
    await patch(server, path, 0, Buffer.alloc(size, 'x'));
    for (const leave of ['close', 'reset'] as const) {
      const client = await connect(server);
      await client.send(requestHead('GET', path));
      await expect.poll(() => streams.length).toBe(leave === 'close' ? 1 : 2);
      await client[leave]();
      await expect.poll(() => streams.every(({ destroyed }) => destroyed)).toBe(true);
    }
  });

  it('a client that takes nothing is given up after the timeout', async () => {
    const server = await startServer({ networkTimeoutMs: 100 });
    const size = 32 * 1024 * 1024;
    const path = await create(server, size);
    await patch(server, path, 0, Buffer.alloc(size, 'x'));
    const client = await connect(server);
    client.socket.pause();
    await client.send(requestHead('GET', path));
    const connections = () =>
      new Promise((resolve) => server.server.getConnections((_, count) => resolve(count)));
    await expect.poll(connections, { timeout: 5000 }).toBe(0);
  });
});
