import { readdir } from 'node:fs/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ask, begin, chunkAt, connectHttp2, createOver, offsetOver } from './http2-client.js';
import {
  acknowledge,
  endHeaders,
  endStream,
  frame,
  FrameClient,
  headerBlock,
  requestBlock,
  settings,
} from './http2-frames.js';
import { type Http2TestServer, startHttp2Server } from './http2-server.js';
import { basePath } from './tus.js';

const chunk = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };

describe('hostile clients of HTTP/2', () => {
  const failures: unknown[] = [];
  beforeEach(() => {
    failures.length = 0;
    const onFailure = (error: unknown): void => void failures.push(error);
    process.on('unhandledRejection', onFailure).on('uncaughtException', onFailure);
    onTestFinished(() => {
      process.off('unhandledRejection', onFailure).off('uncaughtException', onFailure);
      expect(failures).toEqual([]);
    });
  });

  it('rapid reset: ten thousand streams opened and reset leave nothing behind', async () => {
    const { server, path } = await withUpload(5);
    const descriptors = await openDescriptors(server);
    const client = await greeted(server);
    for (let id = 1; id < 20_000 && client.isOpen; id += 2) {
      const headers = frame('headers', endHeaders, id, requestBlock('PATCH', path, chunk));
      await client.send(headers, frame('rstStream', 0, id, Buffer.from([0, 0, 0, 8])));
    }
    client.socket.destroy();
    await expectQuiet(server);
    await expect.poll(() => openDescriptors(server)).toBe(descriptors);
    await expectServed(server, path);
  });

  it('streams over the limit are refused, and those within are served', async () => {
    const { server, path } = await withUpload(5);
    const client = await greeted(server);
    for (let index = 0; index < 200; index += 1) {
      const block = requestBlock('PATCH', path, { ...chunk, 'content-length': '5' });
      await client.send(frame('headers', endHeaders, 2 * index + 1, block));
    }
    await expect.poll(() => client.of('rstStream').length).toBeGreaterThanOrEqual(72);
    expect(server.streams.size).toBeLessThanOrEqual(128);
    client.socket.destroy();
    await expectQuiet(server);
    await expectServed(server, path);
  });

  it('settings that nobody knows, or nonsense in those that everybody knows, harm no other', async () => {
    const { server, path } = await withUpload(5, { networkTimeoutMs: 200 });
    for (const pairs of [
      [[0xfafa, 1]],
      Array.from({ length: 10_000 }, (_, index): [number, number] => [0x1000 + index, index]),
      [[4, 2 ** 31]],
      [[5, 1]],
      [[2, 7]],
    ] as const) {
      const client = await FrameClient.connect(server);
      await client.send(settings(pairs));
      await client.send(frame('headers', endHeaders | endStream, 1, requestBlock('HEAD', path)));
      await expect.poll(() => client.frames.length).toBeGreaterThan(0);
      client.socket.destroy();
    }
    await expectQuiet(server);
    await expectServed(server, path);
  });

  it.each([
    ['a pseudo header', { ':path': '/' }],
    ['names with capitals', { 'Upload-Checksum': 'sha1 YQ==' }],
    ['a connection header', { connection: 'close' }],
    ['line ends', { a: 'b\r\nc: d' }],
    ['a megabyte', { a: 'x'.repeat(15_000) }],
    ['__proto__', { __proto: 'x', constructor: 'y' }],
    [
      'a thousand lines',
      Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`a${index}`, ''])),
    ],
  ])('trailers with %s harm no other stream or connection', async (_, lines) => {
    const { server, path } = await withUpload(10);
    const client = await greeted(server);
    await client.send(
      frame('headers', endHeaders, 1, requestBlock('PATCH', path, chunk)),
      frame('data', 0, 1, Buffer.from('hello')),
      frame('headers', endHeaders | endStream, 1, headerBlock(lines)),
    );
    const answered = () =>
      client.of('headers').length + client.of('rstStream').length + client.of('goaway').length;
    await expect.poll(answered).toBeGreaterThan(0);
    client.socket.destroy();
    await expectQuiet(server);
    const session = await connectHttp2(server);
    expect([0, 5]).toContain(await offsetOver(session, path));
    await expectServed(server, path);
  });

  it('headers that never end, and floods of frames that say nothing, end with their connection', async () => {
    const { server, path } = await withUpload(5, { networkTimeoutMs: 200 });
    const block = requestBlock('PATCH', path, chunk);
    const floods: readonly (readonly [string, (client: FrameClient) => Promise<unknown>])[] = [
      ['unended headers', (client) => client.send(frame('headers', 0, 1, block))],
      [
        'CONTINUATION',
        async (client) => {
          await client.send(frame('headers', 0, 1, block));
          const more = frame('continuation', 0, 1, headerBlock({ a: 'x'.repeat(10_000) }));
          while (await client.send(more));
        },
      ],
      [
        'empty DATA',
        async (client) => {
          await client.send(frame('headers', endHeaders, 1, block));
          const empty = Buffer.concat(Array(1000).fill(frame('data', 0, 1)));
          while (await client.send(empty));
        },
      ],
      ['no preface', (client) => client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'))],
      ['garbage', (client) => client.send(Buffer.alloc(100_000, 0xff))],
      ['nothing', async () => undefined],
    ];
    for (const [name, flood] of floods) {
      const greeting = name === 'no preface' || name === 'nothing' ? '' : undefined;
      const client = await FrameClient.connect(server, greeting);
      if (greeting === undefined) await client.send(settings());
      await flood(client);
      await client.closed;
    }
    await expectQuiet(server);
    await expectServed(server, path);
  });

  it('a client that never opens its window gets no answer, and is let go', async () => {
    const { server, path } = await withUpload(5, { networkTimeoutMs: 300 });
    const client = await FrameClient.connect(server);
    await client.send(settings([[4, 0]]), frame('settings', acknowledge, 0));
    for (let id = 1; id < 100; id += 2) {
      const block = requestBlock('GET', `${basePath}unknown`);
      await client.send(frame('headers', endHeaders | endStream, id, block));
    }
    await expect.poll(() => client.of('headers').length).toBe(50);
    await client.closed;
    await expectQuiet(server);
    await expectServed(server, path);
  });
});

async function withUpload(
  size: number,
  options: { readonly networkTimeoutMs?: number } = {},
): Promise<{ server: Http2TestServer; path: string }> {
  const server = await startHttp2Server(options);
  const session = await connectHttp2(server);
  const path = await createOver(session, size);
  session.destroy();
  await expectQuiet(server);
  return { server, path };
}

async function greeted(server: Http2TestServer): Promise<FrameClient> {
  const client = await FrameClient.connect(server);
  await client.send(settings(), frame('settings', acknowledge, 0));
  return client;
}

/** Everything that its clients have left open is closed. */
async function expectQuiet({ streams, sessions }: Http2TestServer): Promise<void> {
  await expect.poll(() => [streams.size, sessions.size], { timeout: 10_000 }).toEqual([0, 0]);
}

/** That nobody holds its lock, and that it takes what is left. */
async function expectServed(server: Http2TestServer, path: string): Promise<void> {
  const session = await connectHttp2(server);
  const began = performance.now();
  const offset = await offsetOver(session, path);
  const rest = begin(session, 'PATCH', path, { headers: chunkAt(offset), body: '' });
  rest.end('x');
  await new Promise((resolve) => rest.once('close', resolve).resume());
  expect((await ask(session, 'HEAD', path)).status).toBe(200);
  expect(performance.now() - began).toBeLessThan(1000);
  session.destroy();
}

async function openDescriptors({ sessions }: Http2TestServer): Promise<number> {
  return sessions.size === 0 ? (await readdir('/proc/self/fd')).length : -1;
}
