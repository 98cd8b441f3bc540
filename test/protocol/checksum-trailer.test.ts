import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataStore, wrapStore } from 'tuskd';
import { TusError } from 'tuskd/contracts';
import { describe, expect, it } from 'vitest';
import { algorithms, checksumText } from './checksums.js';
import { recordingHooks } from './hooks.js';
import type { RawResponse } from './response-reader.js';
import { startServer, type TestServer } from './server.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  createdPath,
  download,
  lengthHeader,
  offsetOf,
  patch,
  request,
  requestHead,
} from './tus.js';

const announced = { Trailer: 'Upload-Checksum' };
const at = (offset: number) => ({ ...chunkType, 'Upload-Offset': String(offset) });

/** A request in chunks, with trailer lines behind its last. */
async function sendChunked(
  server: TestServer,
  [method, path]: readonly [string, string],
  headers: Readonly<Record<string, string>>,
  body: string,
  trailers: readonly string[],
): Promise<RawResponse> {
  const client = await connect(server);
  const chunks = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  const end = ['0', ...trailers, '', ''].join('\r\n');
  await client.send(requestHead(method, path, { headers, chunked: true }) + chunks + end);
  return client.response();
}

function patchWithTrailers(
  server: TestServer,
  path: string,
  body: string,
  trailers: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Promise<RawResponse> {
  return sendChunked(server, ['PATCH', path], { ...at(0), ...headers }, body, trailers);
}

describe('OPTIONS', () => {
  it('T-110 T-012: it announces trailers, unless they are switched off', async () => {
    const options = await request(await startServer(), 'OPTIONS', basePath);
    expect(options.header('tus-extension')).toContain('checksum,checksum-trailer');
    const server = await startServer({ disableExtensions: ['checksum-trailer'] });
    const without = await request(server, 'OPTIONS', basePath);
    expect(without.header('tus-extension')?.split(',')).toContain('checksum');
    expect(without.header('tus-extension')).not.toContain('checksum-trailer');
    const path = await create(server, 5);
    const trailer = [`Upload-Checksum: ${checksumText('sha1', 'hello')}`];
    const refused = await patchWithTrailers(server, path, 'hello', trailer, announced);
    expect([refused.status, await offsetOf(server, path)]).toEqual([400, 0]);
    expect(refused.text).toContain('send it as a header');
  });
});

describe('a checksum in an announced trailer', () => {
  it.each(algorithms)(
    'T-109 T-110 field 41: %s is verified, a mismatch is 460 and keeps nothing',
    async (algorithm) => {
      const server = await startServer();
      const path = await create(server, 11);
      const trailer = [`Upload-Checksum: ${checksumText(algorithm, 'hello world')}`];
      const wrong = await patchWithTrailers(server, path, 'hello World', trailer, announced);
      expect([wrong.status, wrong.reason]).toEqual([460, 'Checksum Mismatch']);
      expect(await offsetOf(server, path)).toBe(0);
      const right = await patchWithTrailers(server, path, 'hello world', trailer, announced);
      expect([right.status, right.header('upload-offset')]).toEqual([204, '11']);
      expect((await download(server, path)).toString()).toBe('hello world');
    },
  );

  it('T-110: it may be announced in any case, beside others', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const headers = { Trailer: 'Expires , UPLOAD-checksum' };
    const none = await patchWithTrailers(server, path, 'hello', ['Expires: 0'], headers);
    expect([none.status, await offsetOf(server, path)]).toEqual([400, 0]);
    const trailers = ['Expires: 0', `upload-CHECKSUM: ${checksumText('md5', 'hello')}`];
    expect((await patchWithTrailers(server, path, 'hello', trailers, headers)).status).toBe(204);
  });

  it.each([
    ['does not come', []],
    ['is malformed', ['Upload-Checksum: sha1Kq5sNclPz7QV2+lfQIuc6R7oRu0=']],
    ['names an unknown algorithm', ['Upload-Checksum: foo AAAA']],
  ])('T-110 T-102 field 41: one that %s is 400, and nothing is kept', async (_, trailers) => {
    const server = await startServer();
    const path = await create(server, 11);
    const answer = await patchWithTrailers(server, path, 'hello world', trailers, announced);
    expect([answer.status, answer.text.split(':')[0]]).toEqual([400, 'ERR_INVALID_CHECKSUM']);
    expect(await offsetOf(server, path)).toBe(0);
    expect((await stat(dataFile(server, path))).size).toBe(0);
  });

  it('T-110: in the header as well, it is 400 before the body', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const client = await connect(server);
    const headers = { ...at(0), ...announced, 'Upload-Checksum': checksumText('sha1', 'hello') };
    await client.send(requestHead('PATCH', path, { headers, chunked: true }));
    expect((await client.response()).status).toBe(400);
  });

  it('behind a body that ends with its Content-Length none can come: 400 before the body', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const client = await connect(server);
    const headers = { ...at(0), ...announced, 'Content-Length': '5' };
    await client.send(requestHead('PATCH', path, { headers }));
    expect((await client.response()).status).toBe(400);
  });

  it('T-110 D-5: a client that breaks off leaves the offset where it was', async () => {
    const server = await startServer();
    const path = await create(server, 11);
    const client = await connect(server);
    const headers = { ...at(0), ...announced };
    await client.send(`${requestHead('PATCH', path, { headers, chunked: true })}5\r\nhello\r\n`);
    await expect.poll(async () => (await stat(dataFile(server, path))).size).toBe(5);
    expect(await offsetOf(server, path)).toBe(0);
  });

  it('T-097 T-109: it goes with a creation, too', async () => {
    const server = await startServer();
    const headers = { ...chunkType, ...lengthHeader(5), ...announced };
    const trailer = [`Upload-Checksum: ${checksumText('sha256', 'hello')}`];
    const wrong = await sendChunked(server, ['POST', basePath], headers, 'Hello', trailer);
    expect([wrong.status, wrong.header('location') === undefined]).toEqual([460, false]);
    const right = await sendChunked(server, ['POST', basePath], headers, 'hello', trailer);
    expect((await download(server, createdPath(right))).toString()).toBe('hello');
  });
});

describe('a checksum in a trailer that nobody has announced', () => {
  it('T-110 field 41: it is verified all the same, and a mismatch keeps nothing of the chunk', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const path = await create(server, 11);
    await patch(server, path, 0, 'hello ');
    const trailer = [`Upload-Checksum: ${checksumText('crc32c', 'world')}`];
    const send = (body: string): Promise<RawResponse> =>
      sendChunked(server, ['PATCH', path], at(6), body, trailer);
    expect((await send('World')).status).toBe(460);
    expect(await offsetOf(server, path)).toBe(6);
    expect((await stat(dataFile(server, path))).size).toBe(6);
    expect(hooks.calls).not.toContain('pre-finish');
    const right = await send('world');
    expect([right.status, right.header('upload-offset')]).toEqual([204, '11']);
    expect(hooks.calls).toContain('post-finish');
  });

  it('T-110 T-102: a malformed one is 400, and keeps nothing either', async () => {
    const server = await startServer();
    const path = await create(server, 11);
    const answer = await patchWithTrailers(server, path, 'hello', ['Upload-Checksum: foo AAAA']);
    expect([answer.status, await offsetOf(server, path)]).toEqual([400, 0]);
  });

  it('T-110: an ordinary chunk keeps its bytes when it is interrupted', async () => {
    const server = await startServer();
    const path = await create(server, 11);
    const client = await connect(server);
    const begin = requestHead('PATCH', path, { headers: at(0), chunked: true });
    await client.send(`${begin}5\r\nhello\r\n`);
    await expect.poll(async () => (await stat(dataFile(server, path))).size).toBe(5);
    client.reset();
    await expect.poll(() => offsetOf(server, path)).toBe(5);
  });

  it('T-110: a store that reads nothing before the end wants it announced', async () => {
    const unreadable = (store: DataStore): DataStore =>
      wrapStore(store, {
        upload: () => ({
          read: async () => {
            throw new TusError('ERR_INCOMPLETE_UPLOAD');
          },
        }),
      });
    const server = await startServer({ wrapStore: unreadable });
    const path = await create(server, 5);
    const trailer = [`Upload-Checksum: ${checksumText('sha1', 'hello')}`];
    const refused = await patchWithTrailers(server, path, 'hello', trailer);
    expect([refused.status, await offsetOf(server, path)]).toEqual([400, 0]);
    expect(refused.text).toContain('Trailer: Upload-Checksum');
    expect((await patchWithTrailers(server, path, 'hello', trailer, announced)).status).toBe(204);
  });
});

function dataFile(server: TestServer, path: string): string {
  return join(server.directory, path.slice(basePath.length));
}
