import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import type { Handler } from 'tuskd';
import { describe, expect, it } from 'vitest';
import { selfSigned } from './self-signed.js';
import { startServer, temporaryDirectory, type TestServer } from './server.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  download,
  exchange,
  head,
  lengthHeader,
  offsetOf,
  patch,
  post,
  request,
  requestHead,
} from './tus.js';

describe('in Express', () => {
  it.each([
    ['app.use(handler)', (app: express.Express, handler: Handler) => app.use(handler)],
    [
      "app.use('/files', handler)",
      (app: express.Express, handler: Handler) => app.use('/files', handler),
    ],
    [
      "app.all('/files{/*id}', handler)",
      (app: express.Express, handler: Handler) => app.all('/files{/*id}', handler),
    ],
  ])('%s serves the whole protocol', async (_, use) => {
    const server = await startServer({
      mount: (handler) => {
        const app = express();
        app.get('/hello', (_request, response) => void response.send('hello'));
        use(app, handler);
        return http.createServer(app);
      },
    });
    const path = await create(server, 5);
    expect(path).toMatch(/^\/files\/[\da-f]{32}$/);
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
    expect((await head(server, path)).header('upload-offset')).toBe('5');
    expect((await download(server, path)).toString()).toBe('hello');
    expect((await request(server, 'DELETE', path)).status).toBe(204);
    expect((await request(server, 'GET', '/hello')).text).toBe('hello');
  });

  it('100 Continue is given once a request is accepted', async () => {
    const server = await startServer({
      mount: (handler) => http.createServer(express().use('/files', handler)),
    });
    const client = await connect(server);
    const headers = { ...chunkType, ...lengthHeader(5), 'Content-Length': '5' };
    const expecting = { headers: { ...headers, Expect: '100-continue' } };
    await client.send(requestHead('POST', basePath, expecting));
    expect(await client.continued()).toBe(true);
    await client.send('hello');
    expect((await client.response()).status).toBe(201);
  });

  it('field 55: a body parser in front is 500 with a hint, not a hang', async () => {
    const server = await startServer({
      mount: (handler) => {
        const app = express();
        app.use(express.raw({ type: '*/*' }));
        app.use(handler);
        return http.createServer(app);
      },
    });
    const path = await create(server, 5);
    for (const chunked of [false, true]) {
      const headers = { ...chunkType, 'Upload-Offset': '0' };
      const response = await request(server, 'PATCH', path, { headers, body: 'hello', chunked });
      expect(response.status).toBe(500);
      expect(response.text).toContain('mount the handler before any body parser');
      expect(response.header('tus-resumable')).toBe('1.0.0');
    }
    expect(await offsetOf(server, path)).toBe(0);
    expect(server.log.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  it('field 55: a parser that lets uploads be does no harm', async () => {
    const server = await startServer({
      mount: (handler) => http.createServer(express().use(express.json()).use(handler)),
    });
    expect((await patch(server, await create(server, 5), 0, 'hello')).status).toBe(204);
  });
});

describe('over TLS', () => {
  it('the protocol works, and the Location begins with https', async () => {
    const { key, cert } = selfSigned(await temporaryDirectory());
    const server = await startServer({
      mount: (handler) => https.createServer({ key, cert }, handler),
    });
    const client = await connect(server, true);
    const made = await exchange(client, 'POST', basePath, { headers: lengthHeader(5) });
    expect(made.header('location')).toMatch(/^https:\/\/uploads\.example\/files\//);
    const path = new URL(made.header('location') ?? '').pathname;
    const headers = { ...chunkType, 'Upload-Offset': '0' };
    const appended = await exchange(client, 'PATCH', path, { headers, body: 'hello' });
    expect(appended.status).toBe(204);
    expect((await exchange(client, 'GET', path)).text).toBe('hello');
  });

  it('a silent client is cut off, and what it sent is kept', async () => {
    const { key, cert } = selfSigned(await temporaryDirectory());
    const server = await startServer({
      networkTimeoutMs: 100,
      mount: (handler) => https.createServer({ key, cert }, handler),
    });
    const client = await connect(server, true);
    const made = await exchange(client, 'POST', basePath, { headers: lengthHeader(100) });
    const path = new URL(made.header('location') ?? '').pathname;
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '100' };
    await client.send(`${requestHead('PATCH', path, { headers })}hello`);
    expect((await client.response()).text).toMatch(/^ERR_READ_TIMEOUT: /);
    await client.ended;
    const again = await connect(server, true);
    expect((await exchange(again, 'HEAD', path)).header('upload-offset')).toBe('5');
  });
});

describe('attach', () => {
  it('takes off the time limit of requests and keeps idle connections for the network timeout', async () => {
    const { server } = await startServer({ networkTimeoutMs: 1234 });
    expect([server.requestTimeout, server.headersTimeout, server.keepAliveTimeout]).toEqual([
      0, 1234, 1234,
    ]);
  });

  it('without it there is one warning that names both problems', async () => {
    const server = await startServer({ attach: false });
    for (let count = 0; count < 3; count += 1) await post(server, { 'Upload-Length': '5' });
    const warnings = server.log.filter(({ level }) => level === 'warn');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.fields['problem']).toContain('requestTimeout');
    expect(warnings[0]?.fields['problem']).toContain('100-continue');
    expect(warnings[0]?.fields['hint']).toContain('handler.attach(server)');
  });

  it('with it there is none', async () => {
    const server = await startServer();
    await post(server, { 'Upload-Length': '5' });
    expect(server.log.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('field 50: a PATCH may take longer than the requestTimeout that the server had', async () => {
    const server = await startServer({ serverOptions: shortTimeout });
    const path = await create(server, 10);
    const client = await trickle(server, path, 10);
    expect((await client.response()).status).toBe(204);
  });

  it('field 50: which cuts it off where the handler is not attached, and what arrived is kept', async () => {
    const server = await startServer({ serverOptions: shortTimeout, attach: false });
    const path = await create(server, 100);
    const client = await trickle(server, path, 10);
    expect((await client.response()).status).toBe(408);
    await client.ended;
    expect(await offsetOf(server, path)).toBeGreaterThan(1);
    expect(server.log.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });
});

const shortTimeout = { requestTimeout: 200, headersTimeout: 200, connectionsCheckingInterval: 20 };

/** Sends bytes one by one, fifty milliseconds apart. */
async function trickle(server: TestServer, path: string, count: number) {
  const client = await connect(server);
  const size = Number((await head(server, path)).header('upload-length'));
  const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': String(size) };
  await client.send(requestHead('PATCH', path, { headers }));
  for (let sent = 0; sent < count && client.isOpen; sent += 1) {
    await client.send('x');
    await delay(50);
  }
  return client;
}
