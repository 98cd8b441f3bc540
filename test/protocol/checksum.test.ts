import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataStore, MemoryStore, wrapStore } from 'tuskd';
import type { WriteResult } from 'tuskd/contracts';
import { describe, expect, it } from 'vitest';
import { LeasedLocker, LeaseServer } from '../fakes/leased-locker.js';
import { algorithms, checksum } from './checksums.js';
import { recordingHooks } from './hooks.js';
import { startServer, type TestServer } from './server.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  createdPath,
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

const MiB = 1024 * 1024;
const at = (offset: number) => ({ ...chunkType, 'Upload-Offset': String(offset) });

describe('OPTIONS', () => {
  it('T-096 T-105 T-106 T-107: it announces checksums and their algorithms', async () => {
    const options = await request(await startServer(), 'OPTIONS', basePath);
    expect(options.header('tus-extension')?.split(',')).toContain('checksum');
    expect(options.header('tus-checksum-algorithm')).toBe('sha256,sha512,sha1,crc32c,crc32,md5');
  });

  it('T-096 T-012: switched off, neither they nor trailers are announced or served', async () => {
    const server = await startServer({ disableExtensions: ['checksum'] });
    const options = await request(server, 'OPTIONS', basePath);
    expect(options.header('tus-extension')).not.toContain('checksum');
    expect(options.header('tus-checksum-algorithm')).toBeUndefined();
    const path = await create(server, 5);
    const refused = await patch(server, path, 0, 'hello', checksum('sha1', 'hello'));
    // Not 204: that would say that the bytes are the right ones.
    expect([refused.status, await offsetOf(server, path)]).toEqual([400, 0]);
    expect(refused.text).toMatch(/^ERR_INVALID_CHECKSUM: .*verifies none/);
    const announced = await patch(server, path, 0, 'hello', { Trailer: 'Upload-Checksum' });
    expect([announced.status, await offsetOf(server, path)]).toEqual([400, 0]);
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
  });
});

describe('a PATCH with a checksum', () => {
  it('T-095 T-098 T-101 T-104 field 41: the example of the specification is 204', async () => {
    const server = await startServer();
    const path = await create(server, 11);
    const headers = { 'Upload-Checksum': 'sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=' };
    const answer = await patch(server, path, 0, 'hello world', headers);
    expect([answer.status, answer.header('upload-offset')]).toEqual([204, '11']);
    expect((await download(server, path)).toString()).toBe('hello world');
  });

  it.each(algorithms)(
    'T-097 T-098 T-100 T-103 field 41: %s is verified, a mismatch is 460 and the chunk can be sent again',
    async (algorithm) => {
      const server = await startServer();
      const path = await create(server, 11);
      const headers = checksum(algorithm, 'hello ');
      const wrong = await patch(server, path, 0, 'hellO ', headers);
      expect(wrong.status).toBe(460);
      expect(wrong.text).toMatch(/^ERR_CHECKSUM_MISMATCH: /);
      expect(await offsetOf(server, path)).toBe(0);
      expect((await patch(server, path, 0, 'hello ', headers)).status).toBe(204);
      // Of these bytes, not of the file.
      const second = await patch(server, path, 6, 'world', checksum(algorithm, 'world'));
      expect([second.status, second.header('upload-offset')]).toEqual([204, '11']);
      expect((await download(server, path)).toString()).toBe('hello world');
    },
  );

  it('T-102 field 41: nothing of a chunk that does not match is left', async () => {
    const server = await startServer();
    const path = await create(server, 11);
    await patch(server, path, 0, 'hello ');
    const wrong = await patch(server, path, 6, 'World', checksum('sha1', 'world'));
    expect(wrong.status).toBe(460);
    expect((await stat(dataFile(server, path))).size).toBe(6);
    expect((await download(server, path)).toString()).toBe('hello ');
  });

  it.each([
    ['no space', 'sha1Kq5sNclPz7QV2+lfQIuc6R7oRu0='],
    ['two spaces', 'sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0='],
    ['a third word', 'sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0= x'],
    ['two checksums', 'sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=, md5 XrY7u+Ae7tCTyyK7j1rNww=='],
    ['an unknown algorithm', 'foo AAAA'],
    ['a name in capitals', 'SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0='],
    ['a name of JavaScript', 'constructor AAAA'],
    ['no digest', 'sha1 '],
    ['no padding', 'sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0'],
    ['the alphabet of URLs', 'sha1 Kq5sNclPz7QV2-lfQIuc6R7oRu0='],
    ['hexadecimal', 'sha1 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed'],
    ['a digest of another length', 'sha1 XrY7u+Ae7tCTyyK7j1rNww=='],
    ['nothing', ''],
  ])('T-099 T-108 field 41: %s is 400 before the body is read', async (_, text) => {
    const server = await startServer();
    const path = await create(server, 11);
    const client = await connect(server);
    const headers = { ...at(0), 'Content-Length': '11', 'Upload-Checksum': text };
    await client.send(requestHead('PATCH', path, { headers }));
    const answer = await client.response();
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/^ERR_INVALID_CHECKSUM: .*(sha256, sha512|20 bytes)/);
    expect(await offsetOf(server, path)).toBe(0);
  });

  it('T-103 D-5 field 41: a client that breaks off leaves the offset where it was', async () => {
    const server = await startServer();
    const path = await create(server, 100);
    await patch(server, path, 0, 'x');
    for (const leave of ['end', 'reset'] as const) {
      const client = await connect(server);
      const headers = { ...at(1), 'Content-Length': '99', ...checksum('sha1', 'y'.repeat(99)) };
      await client.send(`${requestHead('PATCH', path, { headers })}yyyyyyyyyyyy`);
      await expect.poll(async () => (await stat(dataFile(server, path))).size).toBe(13);
      client[leave]();
      await expect.poll(async () => (await stat(dataFile(server, path))).size).toBe(1);
      expect(await offsetOf(server, path)).toBe(1);
    }
    const rest = 'y'.repeat(99);
    expect((await patch(server, path, 1, rest, checksum('sha1', rest))).status).toBe(204);
    expect((await download(server, path)).toString()).toBe(`x${rest}`);
  });

  it('T-103 D-21 field 41: HEAD interrupts it, and tells the offset before it', async () => {
    const server = await startServer();
    const path = await create(server, 100);
    const client = await connect(server);
    const headers = { ...at(0), 'Content-Length': '100', ...checksum('md5', 'y'.repeat(100)) };
    await client.send(`${requestHead('PATCH', path, { headers })}yyyyyyyyyyyy`);
    await expect.poll(async () => (await stat(dataFile(server, path))).size).toBe(12);
    expect(await offsetOf(server, path)).toBe(0);
    const answer = await client.response();
    expect([answer.status, answer.text.split(':')[0]]).toEqual([400, 'ERR_UPLOAD_INTERRUPTED']);
    expect(await offsetOf(server, path)).toBe(0);
  });

  it('T-102: a shutdown discards it, too', async () => {
    const server = await startServer();
    const path = await create(server, 100);
    const client = await connect(server);
    const headers = { ...at(0), 'Content-Length': '100', ...checksum('md5', 'y'.repeat(100)) };
    await client.send(`${requestHead('PATCH', path, { headers })}yyyyyyyyyyyy`);
    await expect.poll(async () => (await stat(dataFile(server, path))).size).toBe(12);
    await server.handler.close();
    expect((await client.response()).status).toBe(503);
    expect((await stat(dataFile(server, path))).size).toBe(0);
  });

  it('T-102: more than the upload has is 413, and none of it is kept', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const headers = { ...at(0), ...checksum('sha1', 'hello world') };
    const options = { headers, body: 'hello world', chunked: true };
    const answer = await request(server, 'PATCH', path, options);
    expect([answer.status, await offsetOf(server, path)]).toEqual([413, 0]);
  });

  it('T-103: a full store is 507, and keeps nothing of it', async () => {
    const store = new MemoryStore({ maxBytes: 8 });
    const server = await startServer({ wrapStore: () => store });
    const path = await create(server, 11);
    const answer = await patch(server, path, 0, 'hello world', checksum('sha1', 'hello world'));
    expect([answer.status, await offsetOf(server, path)]).toEqual([507, 0]);
    const some = await patch(server, path, 0, 'hello wo', checksum('sha1', 'hello wo'));
    expect(some.status).toBe(204);
  });

  it('T-098: an empty body has a checksum like any other', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    for (const chunked of [false, true]) {
      const right = { headers: { ...at(0), ...checksum('sha1', '') }, body: '', chunked };
      expect((await request(server, 'PATCH', path, right)).status).toBe(204);
      const wrong = { headers: { ...at(0), ...checksum('sha1', 'x') }, body: '', chunked };
      expect((await request(server, 'PATCH', path, wrong)).status).toBe(460);
    }
    await patch(server, path, 0, 'hello');
    const atEnd = await patch(server, path, 5, '', checksum('sha1', ''));
    expect([atEnd.status, atEnd.header('upload-offset')]).toEqual([204, '5']);
    expect((await patch(server, path, 5, '', checksum('sha1', 'x'))).status).toBe(460);
    expect((await download(server, path)).toString()).toBe('hello');
  });

  it('field 11: nobody is told of bytes before they are verified, nor is an upload finished', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks, progressIntervalMs: 5 });
    const path = await create(server, 11);
    const client = await connect(server);
    const headers = { ...at(0), 'Content-Length': '11', ...checksum('sha1', 'hello world') };
    await client.send(`${requestHead('PATCH', path, { headers })}hello `);
    const received = (): number[] =>
      hooks.published.filter(({ type }) => type === 'post-receive').map((e) => e.upload.offset);
    await expect.poll(() => received().length).toBeGreaterThan(2);
    await client.send('World');
    expect((await client.response()).status).toBe(460);
    expect(new Set(received())).toEqual(new Set([0]));
    expect(hooks.calls).not.toContain('pre-finish');
    const right = await patch(server, path, 0, 'hello world', checksum('sha1', 'hello world'));
    expect(right.status).toBe(204);
    expect(hooks.calls.slice(-3)).toEqual(['post-receive', 'pre-finish', 'post-finish']);
    expect(received().at(-1)).toBe(11);
  });

  it('T-041: Upload-Expires and method override go with it as with any other', async () => {
    const server = await startServer({ expireAfterMs: 60_000 });
    const path = await create(server, 11);
    const headers = {
      ...at(0),
      'X-HTTP-Method-Override': 'PATCH',
      ...checksum('sha1', 'hello world'),
    };
    const wrong = await request(server, 'POST', path, { headers, body: 'hello worlD' });
    expect(wrong.status).toBe(460);
    expect(wrong.header('upload-expires')).toMatch(/GMT$/);
  });

  it('two hundred of them at once keep their bytes apart', async () => {
    const server = await startServer();
    const jobs = Array.from({ length: 200 }, async (_, index) => {
      const body = `body ${index} `.repeat(1 + (index % 50));
      const path = await create(server, body.length);
      const algorithm = algorithms[index % algorithms.length] ?? 'sha1';
      const wrong = await patch(server, path, 0, body.toUpperCase(), checksum(algorithm, body));
      const right = await patch(server, path, 0, body, checksum(algorithm, body));
      expect([wrong.status, right.status]).toEqual([460, 204]);
      expect((await download(server, path)).toString()).toBe(body);
    });
    await Promise.all(jobs);
  });

  it.each(['sha256', 'crc32c'] as const)(
    'T-098 T-100: 32 MiB are verified while they come, with %s',
    async (algorithm) => {
      const server = await startServer();
      const content = randomBytes(32 * MiB);
      const path = await create(server, content.length);
      const headers = checksum(algorithm, content);
      content[20 * MiB] = (content[20 * MiB] ?? 0) ^ 1;
      expect((await patch(server, path, 0, content, headers)).status).toBe(460);
      expect(await offsetOf(server, path)).toBe(0);
      content[20 * MiB] = (content[20 * MiB] ?? 0) ^ 1;
      expect((await patch(server, path, 0, content, headers)).status).toBe(204);
      expect((await download(server, path)).equals(content)).toBe(true);
    },
    60_000,
  );
});

describe('a checksummed chunk whose lock is lost', () => {
  it.each([
    ['before all of it has arrived', 'lose', 'write'],
    ['before it is verified', 'write', 'lose'],
  ] as const)('is neither committed nor discarded: %s', async (_, ...order) => {
    const leases = new LeaseServer();
    const calls: string[] = [];
    const watched = (store: DataStore): DataStore =>
      wrapStore(store, {
        upload: (upload) => ({
          writeChunk: async (offset, body, options) => {
            let result: WriteResult | undefined;
            for (const step of order) {
              if (step === 'lose') leases.endLease(upload.id);
              else result = await upload.writeChunk(offset, body, options);
            }
            return result ?? { bytesWritten: 0 };
          },
          commitChunk: async () => void calls.push('commit'),
          discardChunk: async () => void calls.push('discard'),
        }),
      });
    const locker = new LeasedLocker(leases);
    const server = await startServer({ locker, wrapStore: watched });
    const path = await create(server, 11);
    const answer = await patch(server, path, 0, 'hello world', checksum('sha1', 'hello world'));
    expect([answer.status, answer.text.split(':')[0]]).toEqual([503, 'ERR_LOCK_LOST']);
    expect([calls, await offsetOf(server, path)]).toEqual([[], 0]);
  });
});

describe('a creation with a checksum', () => {
  it('T-077 T-097 field 41: its body is verified; after 460 the client knows where to send it again', async () => {
    const server = await startServer();
    const headers = { ...chunkType, ...lengthHeader(11), ...checksum('sha1', 'hello world') };
    const wrong = await post(server, headers, { body: 'hello worlD' });
    expect(wrong.status).toBe(460);
    const path = new URL(wrong.header('location') ?? '').pathname;
    expect(await offsetOf(server, path)).toBe(0);
    expect(
      (await patch(server, path, 0, 'hello world', checksum('md5', 'hello world'))).status,
    ).toBe(204);
    const right = await post(server, headers, { body: 'hello world' });
    expect([right.status, right.header('upload-offset')]).toEqual([201, '11']);
    expect((await download(server, createdPath(right))).toString()).toBe('hello world');
  });

  it('T-099: one that is malformed is 400, and nothing is made', async () => {
    const server = await startServer();
    const headers = { ...chunkType, ...lengthHeader(5), 'Upload-Checksum': 'foo AAAA' };
    expect((await post(server, headers, { body: 'hello' })).status).toBe(400);
    expect(await server.files()).toEqual([]);
  });

  it('T-097: without a chunk there is nothing to verify', async () => {
    const server = await startServer();
    const headers = { ...lengthHeader(5), 'Upload-Checksum': 'foo AAAA' };
    expect((await post(server, headers)).status).toBe(201);
  });
});

describe('the connection', () => {
  it('T-100: serves the next request after a 460', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const client = await connect(server);
    const wrong = { headers: { ...at(0), ...checksum('sha1', 'x') }, body: 'hello' };
    expect((await exchange(client, 'PATCH', path, wrong)).status).toBe(460);
    const right = { headers: { ...at(0), ...checksum('sha1', 'hello') }, body: 'hello' };
    expect((await exchange(client, 'PATCH', path, right)).status).toBe(204);
    expect((await head(server, path)).header('upload-offset')).toBe('5');
  });
});

function dataFile(server: TestServer, path: string): string {
  return join(server.directory, path.slice(basePath.length));
}
