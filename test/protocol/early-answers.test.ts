import { execFile } from 'node:child_process';
import http from 'node:http';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { RawClient } from './raw-client.js';
import { startServer, type TestServer } from './server.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  exchange,
  offsetOf,
  patch,
  request,
  requestHead,
} from './tus.js';

const MiB = 1024 * 1024;
const bodySize = 100 * MiB;
const body = { 'Content-Length': String(bodySize) };

/** Requests whose answer is known before their body is: path, headers, status. */
const cases = [
  ['413 for more than the limit', 413, { ...chunkType, 'Upload-Offset': '0' }, 10],
  ['409 for another offset', 409, { ...chunkType, 'Upload-Offset': '3' }, bodySize],
  ['415 for another type', 415, { 'Content-Type': 'text/plain', 'Upload-Offset': '0' }, bodySize],
  ['400 for a bad offset', 400, { ...chunkType, 'Upload-Offset': '-1' }, bodySize],
  ['412 for another version', 412, { 'Tus-Resumable': '2.0.0' }, bodySize],
  ['404 for an unknown upload', 404, { ...chunkType, 'Upload-Offset': '0' }, undefined],
] as const;

describe('early answers', () => {
  it.each(cases)('%s reaches a client that goes on sending', async (_, status, extra, size) => {
    const server = await startServer();
    const path = size === undefined ? '/files/unknown' : await create(server, size);
    const headers = { 'Tus-Resumable': '1.0.0', ...extra };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const client = await connect(server);
      await client.send(
        requestHead('PATCH', path, { headers: { ...headers, ...body }, version: false }),
      );
      const sending = client.sendZeros(bodySize);
      statuses.push((await client.response()).status);
      await client.close();
      await sending;
    }
    expect(statuses).toEqual(Array(20).fill(status));
  });

  it('a hundred of a hundred clients that only look once they cannot send any more see the 413', async () => {
    const server = await startServer();
    const path = await create(server, 10);
    const clients = Array.from({ length: 100 }, async () => {
      const client = await connect(server);
      const headers = { ...chunkType, 'Upload-Offset': '0', ...body };
      await client.send(requestHead('PATCH', path, { headers }));
      await client.sendZeros(bodySize);
      return (await client.response()).status;
    });
    expect(await Promise.all(clients)).toEqual(Array(100).fill(413));
  });

  it('a hundred of a hundred answers reach fetch() in another process, which gives up when a write fails', async () => {
    const server = await startServer();
    const url = `http://127.0.0.1:${server.port}${await create(server, bodySize)}`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      fetchScript,
      url,
    ]);
    expect(JSON.parse(stdout)).toEqual({ 409: 100 });
  });

  it('so does a client that is built on node:http', async () => {
    const server = await startServer();
    const path = await create(server, 10);
    let seen = 0;
    for (let attempt = 0; attempt < 20; attempt += 1) {
      seen += Number((await nodeClientStatus(server, path)) === 413);
    }
    expect(seen).toBe(20);
  });

  it('the rest is read for a MiB at most, and the connection is closed within about a second', async () => {
    const server = await startServer();
    const path = await create(server, 10);
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', ...body };
    await client.send(requestHead('PATCH', path, { headers }));
    const began = performance.now();
    const socket = await serverSocket(server);
    const sent = await client.sendZeros(bodySize);
    expect((await client.response()).status).toBe(413);
    await client.ended;
    expect(performance.now() - began).toBeLessThan(2000);
    expect(socket.bytesRead).toBeLessThan(2 * MiB);
    expect(sent).toBeLessThan(bodySize);
  });

  it('a silent client is let go within about a second', async () => {
    const server = await startServer();
    const path = await create(server, 10);
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', ...body };
    await client.send(requestHead('PATCH', path, { headers }));
    expect((await client.response()).status).toBe(413);
    const began = performance.now();
    expect(await client.ended).toBe('fin');
    expect(performance.now() - began).toBeLessThan(1500);
  });

  it('field 50: where the request ends soon, the connection serves the next one', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const client = await connect(server);
    for (let round = 0; round < 5; round += 1) {
      const headers = { ...chunkType, 'Upload-Offset': '9' };
      const refused = await exchange(client, 'PATCH', path, { headers, body: 'x'.repeat(100_000) });
      expect(refused.status).toBe(409);
      expect((await exchange(client, 'HEAD', path)).header('upload-offset')).toBe('0');
    }
  });

  it('an interrupted, still sending client sees the 400', async () => {
    const server = await startServer();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const path = await create(server, bodySize);
      const client = await connect(server);
      const headers = { ...chunkType, 'Upload-Offset': '0', ...body };
      await client.send(requestHead('PATCH', path, { headers }));
      const sending = client.sendZeros(bodySize);
      const offset = await offsetOf(server, path);
      const response = await client.response();
      expect(response.text).toMatch(/^ERR_UPLOAD_INTERRUPTED: /);
      await client.close();
      await sending;
      expect((await patch(server, path, offset, 'next')).status).toBe(204);
    }
  });

  it('a crossing chunked body sees the 413', async () => {
    const server = await startServer();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const path = await create(server, 3 * MiB);
      const client = await connect(server);
      const headers = { ...chunkType, 'Upload-Offset': '0' };
      await client.send(requestHead('PATCH', path, { headers, chunked: true }));
      const sending = sendChunks(client, 100);
      expect((await client.response()).status).toBe(413);
      await client.close();
      await sending;
      expect(await offsetOf(server, path)).toBe(3 * MiB);
    }
  });

  it('a download that is asked for with a body that never comes does not hold the connection', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    await patch(server, path, 0, 'hello');
    const client = await connect(server);
    await client.send(requestHead('GET', path, { headers: { 'Content-Length': '10' } }));
    expect((await client.response()).text).toBe('hello');
    await client.ended;
    expect((await request(server, 'OPTIONS', basePath)).status).toBe(200);
  });
});

/** PATCHes 100 MiB to the wrong offset, a hundred times, and counts what comes of it. */
const fetchScript = `
  const counts = {};
  for (let attempt = 0; attempt < 100; attempt += 1) {
    let left = 1600;
    const body = new ReadableStream({
      pull: (to) => (left-- > 0 ? to.enqueue(new Uint8Array(65536)) : to.close()),
    });
    const headers = ${JSON.stringify({ ...chunkType, 'Tus-Resumable': '1.0.0', 'Upload-Offset': '3' })};
    const outcome = await fetch(process.argv[1], { method: 'PATCH', headers, body, duplex: 'half' })
      .then(({ status }) => status, (error) => error.cause?.code ?? error.message);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  console.log(JSON.stringify(counts));
  process.exit();
`;

/** MiB after MiB in a chunk of its own. */
async function sendChunks(client: RawClient, count: number): Promise<void> {
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MiB), Buffer.from('\r\n')]);
  for (let sent = 0; sent < count && (await client.send(chunk)); sent += 1);
}

function serverSocket({ server }: TestServer): Promise<{ readonly bytesRead: number }> {
  return new Promise((resolve) => {
    server.once('request', ({ socket }: http.IncomingMessage) => resolve(socket));
  });
}

function nodeClientStatus(server: TestServer, path: string): Promise<number | string> {
  return new Promise((resolve) => {
    const headers = { ...chunkType, 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', ...body };
    const request = http.request({ port: server.port, method: 'PATCH', path, headers });
    request.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    request.on('error', (error) => resolve(error.message));
    const piece = Buffer.alloc(64 * 1024);
    let left = bodySize / piece.length;
    const send = (): void => {
      while (left-- > 0) if (!request.write(piece)) return void request.once('drain', send);
    };
    send();
  });
}
