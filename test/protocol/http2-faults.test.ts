import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type http2 from 'node:http2';
import { constants } from 'node:http2';
import net from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { gatedStore } from './gated-store.js';
import { recordingHooks } from './hooks.js';
import {
  answer,
  ask,
  begin,
  chunkAt,
  connectHttp2,
  createOver,
  offsetOver,
} from './http2-client.js';
import { startHttp2Server } from './http2-server.js';
import { basePath } from './tus.js';

const MiB = 1024 * 1024;
const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;

describe('early answers over HTTP/2', () => {
  it.each([
    ['413 for more than the limit', 413, 10, chunkAt(0)],
    ['409 for another offset', 409, 100 * MiB, chunkAt(3)],
    ['415 for another type', 415, 100 * MiB, { ...chunkAt(0), 'Content-Type': 'text/plain' }],
    ['404 for an unknown upload', 404, undefined, chunkAt(0)],
  ])(
    '%s reaches a client that goes on sending, whose stream is then reset without an error',
    async (_, status, size, headers) => {
      const session = await connectHttp2(await startHttp2Server());
      const path = size === undefined ? `${basePath}unknown` : await createOver(session, size);
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const stream = begin(session, 'PATCH', path, {
          headers: { ...headers, 'Content-Length': String(100 * MiB) },
          body: '',
        });
        void sendZeros(stream);
        const began = performance.now();
        const response = await answer(stream);
        expect([response.status, response.code]).toEqual([status, NGHTTP2_NO_ERROR]);
        expect(response.text).toMatch(/^ERR_/);
        expect(performance.now() - began).toBeLessThan(3000);
      }
      expect((await ask(session, 'OPTIONS', basePath)).status).toBe(200);
    },
  );

  it('the other streams of the connection are not held up by it', async () => {
    const session = await connectHttp2(await startHttp2Server());
    const path = await createOver(session, 10);
    const stream = begin(session, 'PATCH', path, { headers: chunkAt(3), body: '' });
    void sendZeros(stream);
    const refused = answer(stream);
    await once(stream, 'response');
    const began = performance.now();
    for (let round = 0; round < 20; round += 1) expect(await offsetOver(session, path)).toBe(0);
    expect(performance.now() - began).toBeLessThan(900);
    expect((await refused).status).toBe(409);
  });

  it('a download that is asked for with a body that never comes ends', async () => {
    const server = await startHttp2Server();
    const session = await connectHttp2(server);
    const path = await createOver(session, 5);
    await ask(session, 'PATCH', path, { headers: chunkAt(0), body: 'hello' });
    const response = await answer(begin(session, 'GET', path));
    expect([response.status, response.text, response.code]).toEqual([200, 'hello', 0]);
    await expect.poll(() => server.streams.size).toBe(0);
  });
});

describe('uploads over HTTP/2 that break off', () => {
  it.each([
    ['CANCEL', NGHTTP2_CANCEL],
    ['NO_ERROR', NGHTTP2_NO_ERROR],
  ])(
    'field 51: what arrived before RST_STREAM (%s) is kept, and the upload is free',
    async (_, code) => {
      const session = await connectHttp2(await startHttp2Server());
      const content = randomBytes(3 * MiB);
      const path = await createOver(session, content.length);
      const stream = begin(session, 'PATCH', path, {
        headers: { ...chunkAt(0), 'Content-Length': String(content.length) },
        body: '',
      });
      stream.write(content.subarray(0, MiB));
      await expect.poll(() => downloaded(session, path)).toBe(MiB);
      stream.close(code);
      const began = performance.now();
      expect(await offsetOver(session, path)).toBe(MiB);
      expect(performance.now() - began).toBeLessThan(1000);
      const rest = { headers: chunkAt(MiB), body: content.subarray(MiB) };
      expect((await ask(session, 'PATCH', path, rest)).status).toBe(204);
    },
  );

  it('field 2: a whole body is stored whose stream was reset before anybody asked for it', async () => {
    const { store, waiting, open } = gatedStore();
    const server = await startHttp2Server({ wrapStore: store });
    const session = await connectHttp2(server);
    const path = await createOver(session, 5);
    const stream = begin(session, 'PATCH', path, { headers: chunkAt(0), body: '' });
    stream.end('hello');
    await expect.poll(waiting).toBe(1);
    await expect.poll(() => [...server.streams].map((each) => each.readableLength)).toEqual([5]);
    stream.close(NGHTTP2_CANCEL);
    await expect.poll(() => server.streams.size).toBe(0);
    open();
    await expect.poll(() => downloaded(session, path)).toBe(5);
  });

  it.each(['destroyed', 'cut off'] as const)(
    'field 51: a connection that is %s loses nothing of what arrived on its streams',
    async (how) => {
      const server = await startHttp2Server();
      const other = await connectHttp2(server);
      const socket = net.connect(server.port, '127.0.0.1');
      const session = await connectHttp2(server, { createConnection: () => socket });
      const paths = await Promise.all([1, 2, 3].map(() => createOver(session, 10)));
      for (const path of paths) {
        begin(session, 'PATCH', path, { headers: chunkAt(0), body: '' }).write('hello');
        await expect.poll(() => downloaded(other, path)).toBe(5);
      }
      if (how === 'destroyed') session.destroy();
      else socket.resetAndDestroy();
      await expect.poll(() => server.sessions.size).toBe(1);
      for (const path of paths) {
        expect(await offsetOver(other, path)).toBe(5);
        const rest = { headers: chunkAt(5), body: 'world' };
        expect((await ask(other, 'PATCH', path, rest)).status).toBe(204);
      }
    },
  );

  it('field 51: an upload goes on whose client has said GOAWAY', async () => {
    const session = await connectHttp2(await startHttp2Server());
    const path = await createOver(session, 10);
    const stream = begin(session, 'PATCH', path, { headers: chunkAt(0), body: '' });
    stream.write('hello');
    await expect.poll(() => downloaded(session, path)).toBe(5);
    session.goaway(NGHTTP2_NO_ERROR);
    stream.end('world');
    expect((await answer(stream)).status).toBe(204);
  });

  it('a silent body is answered and its stream closed; what came is kept, the connection goes on', async () => {
    const server = await startHttp2Server({ networkTimeoutMs: 300 });
    const session = await connectHttp2(server);
    const path = await createOver(session, 10);
    const stream = begin(session, 'PATCH', path, { headers: chunkAt(0), body: '' });
    stream.write('hello');
    const response = answer(stream);
    const silent = keepBusy(session, path);
    expect((await response).text).toMatch(/^ERR_READ_TIMEOUT: /);
    await silent.stop();
    await expect.poll(() => server.streams.size).toBe(0);
    expect(await offsetOver(session, path)).toBe(5);
  });

  it('field 1: the newest request takes an upload from a silent stream of the same connection', async () => {
    const session = await connectHttp2(await startHttp2Server());
    const path = await createOver(session, 10);
    const stream = begin(session, 'PATCH', path, { headers: chunkAt(0), body: '' });
    stream.write('hello');
    const older = answer(stream);
    await expect.poll(() => downloaded(session, path)).toBe(5);
    const newer = await ask(session, 'PATCH', path, { headers: chunkAt(5), body: 'world' });
    expect(newer.status).toBe(204);
    expect(await older).toMatchObject({ status: 400, code: NGHTTP2_NO_ERROR });
  });

  it('field 4: a stream that is reset in the line for a lock leaves the line', async () => {
    let release: () => void = () => undefined;
    const finishing = new Promise<object>((resolve) => {
      release = () => resolve({});
    });
    const hooks = recordingHooks({ 'pre-finish': () => finishing });
    const session = await connectHttp2(await startHttp2Server({ hooks }));
    const path = await createOver(session, 5);
    const first = ask(session, 'PATCH', path, { headers: chunkAt(0), body: 'hello' });
    await expect.poll(() => hooks.calls).toContain('pre-finish');
    for (const code of [NGHTTP2_NO_ERROR, NGHTTP2_CANCEL]) {
      const leaving = begin(session, 'DELETE', path, {});
      await expect.poll(() => hooks.calls.at(-1)).toBe('access terminate');
      leaving.close(code);
      hooks.calls.push('left');
    }
    await delay(20);
    release();
    expect((await first).status).toBe(204);
    expect(await offsetOver(session, path)).toBe(5);
  });
});

describe('flow control of HTTP/2', () => {
  it('field 51: a slow store slows the client down, holds little, and gets every byte', async () => {
    const { store, waiting, open } = gatedStore();
    const server = await startHttp2Server({ wrapStore: store });
    const session = await connectHttp2(server);
    const content = randomBytes(40 * MiB);
    const path = await createOver(session, content.length);
    const stream = begin(session, 'PATCH', path, { headers: chunkAt(0), body: '' });
    // With little in its own queue: a client of node:http2 takes no more requests where that is long.
    Readable.from(pieces(content)).pipe(stream);
    await expect.poll(waiting).toBe(1);
    const received = () => [...server.streams].map((each) => each.readableLength);
    await expect.poll(received).toEqual([16 * MiB]);
    expect(stream.state.localClose).toBe(0);
    expect((await ask(session, 'OPTIONS', basePath)).status).toBe(200);
    open();
    expect((await answer(stream)).status).toBe(204);
    expect(await downloaded(session, path)).toBe(content.length);
  });

  it('one that reads its download slowly does not hold up the others, and is given up in the end', async () => {
    const server = await startHttp2Server({ networkTimeoutMs: 2000 });
    const session = await connectHttp2(server);
    const content = Buffer.alloc(8 * MiB, 'x');
    const path = await createOver(session, content.length);
    await ask(session, 'PATCH', path, { headers: chunkAt(0), body: content });
    const slow = begin(session, 'GET', path, {});
    await once(slow, 'response');
    slow.pause();
    const closed = once(slow, 'close');
    expect(await downloaded(session, path)).toBe(content.length);
    expect(slow.closed).toBe(false);
    const busy = keepBusy(session, path);
    await closed;
    expect(slow.rstCode).toBe(NGHTTP2_CANCEL);
    await busy.stop();
    await expect.poll(() => server.streams.size).toBe(0);
  });
});

describe('the end of a server of HTTP/2', () => {
  it('field 12: what arrived is kept and answered with 503, connections and server end', async () => {
    const server = await startHttp2Server();
    const session = await connectHttp2(server);
    const path = await createOver(session, 10);
    const stream = begin(session, 'PATCH', path, { headers: chunkAt(0), body: '' });
    stream.write('hello');
    await expect.poll(() => downloaded(session, path)).toBe(5);
    const response = answer(stream);
    const ended = once(session, 'close');
    const closed = once(server.server, 'close');
    await server.handler.close();
    server.server.close();
    expect((await response).text).toMatch(/^ERR_SERVER_SHUTDOWN: /);
    await Promise.all([ended, closed]);
  });

  it('a connection on which nothing happens is closed', async () => {
    const server = await startHttp2Server({ networkTimeoutMs: 100 });
    const session = await connectHttp2(server);
    const said = once(session, 'goaway');
    const closed = once(session, 'close');
    const [code] = await said;
    expect(code).toBe(NGHTTP2_NO_ERROR);
    await closed;
    await expect.poll(() => server.sessions.size).toBe(0);
  });
});

/** Sends for as long as it is let. */
async function sendZeros(stream: http2.ClientHttp2Stream): Promise<void> {
  const piece = Buffer.alloc(64 * 1024);
  for (let sent = 0; sent < 100 * MiB && !stream.destroyed; sent += piece.length) {
    if (!stream.write(piece)) {
      await Promise.race([once(stream, 'drain'), once(stream, 'close')]).catch(() => undefined);
    }
  }
}

function* pieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 64 * 1024) {
    yield content.subarray(at, at + 64 * 1024);
  }
}

async function downloaded(session: http2.ClientHttp2Session, path: string): Promise<number> {
  const stream = begin(session, 'GET', path, {});
  let length = 0;
  stream.on('data', (bytes: Buffer) => {
    length += bytes.length;
  });
  await new Promise((resolve) => stream.once('close', resolve));
  return length;
}

/** Keeps a connection from being idle. */
function keepBusy(session: http2.ClientHttp2Session, path: string): { stop(): Promise<void> } {
  const ending = new AbortController();
  const loop = (async () => {
    while (!ending.signal.aborted) {
      await ask(session, 'OPTIONS', path);
      await delay(20);
    }
  })();
  return {
    stop: () => {
      ending.abort();
      return loop;
    },
  };
}
