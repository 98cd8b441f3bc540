import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closedEarly } from '../runtimes/closed-early.js';
import { recordingHooks } from './hooks.js';
import { startServer, type TestServer } from './server.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  download,
  exchange,
  head,
  offsetOf,
  patch,
  request,
  requestHead,
} from './tus.js';

const chunkHeaders = (offset: number) => ({ ...chunkType, 'Upload-Offset': String(offset) });

describe('PATCH', () => {
  it('T-025 T-032 T-033: bytes are appended, 204 without a body tells the new offset', async () => {
    const server = await startServer();
    const path = await create(server, 11);
    const first = await patch(server, path, 0, 'hello');
    expect([first.status, first.header('upload-offset'), first.text]).toEqual([204, '5', '']);
    const second = await patch(server, path, 5, ' world');
    expect(second.header('upload-offset')).toBe('11');
    expect(await stored(server, path)).toBe('hello world');
  });

  it.each([
    'application/offset+octet-stream',
    'Application/Offset+Octet-Stream',
    'application/offset+octet-stream; charset=utf-8',
    'application/offset+octet-stream ;x=y',
  ])('T-026 D-2 field 44: Content-Type "%s" is accepted', async (type) => {
    const server = await startServer();
    const path = await create(server, 5);
    const response = await patch(server, path, 0, 'hello', { 'Content-Type': type });
    expect(response.status).toBe(204);
  });

  it.each(['text/plain', 'application/offset+octet-streams', '', undefined])(
    'T-027 field 44: Content-Type "%s" is 415 and stores nothing',
    async (type) => {
      const server = await startServer();
      const path = await create(server, 5);
      const headers = { 'Upload-Offset': '0', ...(type !== undefined && { 'Content-Type': type }) };
      const response = await request(server, 'PATCH', path, { headers, body: 'hello' });
      expect(response.status).toBe(415);
      expect(response.text).toMatch(/^ERR_INVALID_CONTENT_TYPE: /);
      expect(await offsetOf(server, path)).toBe(0);
    },
  );

  it('T-028 T-029: another offset is 409, and the upload stays as it is', async () => {
    const server = await startServer();
    const path = await create(server, 10);
    await patch(server, path, 0, 'hello');
    for (const offset of [0, 3, 7, 10]) {
      expect((await patch(server, path, offset, 'x')).status).toBe(409);
    }
    expect(await offsetOf(server, path)).toBe(5);
    expect(await stored(server, path)).toBe('hello');
  });

  it('T-028 T-029: another offset is 409: nothing stored, nothing read, no hook', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const path = await create(server, 10);
    await patch(server, path, 0, 'hello');
    hooks.calls.length = 0;
    for (const offset of [0, 3, 7, 10]) {
      const expecting = { ...chunkHeaders(offset), Expect: '100-continue' };
      const response = await request(server, 'PATCH', path, { headers: expecting, body: 'x' });
      expect([response.status, response.informational]).toEqual([409, []]);
      expect(response.text).toMatch(/^ERR_MISMATCHED_OFFSET: /);
    }
    expect(new Set(hooks.calls)).toEqual(new Set(['access append']));
    expect(await offsetOf(server, path)).toBe(5);
    expect(await stored(server, path)).toBe('hello');
  });

  it('T-029: a wrong offset is 409 also where the body would be too much', async () => {
    const server = await startServer({ maxSize: 10 });
    const path = await create(server, 10);
    expect((await patch(server, path, 8, 'hello')).status).toBe(409);
  });

  it('T-030 field 7: of two PATCHes at one offset, sent at once, one succeeds', async () => {
    const server = await startServer();
    for (let round = 0; round < 50; round += 1) {
      const path = await create(server, 1000);
      const answers = await Promise.all([
        patch(server, path, 0, 'a'.repeat(1000)),
        patch(server, path, 0, 'b'.repeat(1000)),
      ]);
      expect(answers.map(({ status }) => `${status}`).sort()).toEqual(['204', '409']);
      expect(await stored(server, path)).toMatch(/^(?:a{1000}|b{1000})$/);
    }
  });

  it('T-030 field 7: while one is on its way another takes over, and bytes never mix', async () => {
    const server = await startServer();
    for (let round = 0; round < 20; round += 1) {
      const path = await create(server, 500_000);
      const bodies = ['a'.repeat(500_000), 'b'.repeat(500_000)];
      const answers = await Promise.all(bodies.map((body) => patch(server, path, 0, body)));
      const statuses = answers.map(({ status }) => `${status}`).sort();
      expect(['204,400', '204,409', '400,409']).toContain(statuses.join());
      const prefix = await stored(server, path);
      const winner = bodies.find((body) => body.startsWith(prefix.slice(0, 1))) ?? '';
      expect(winner.startsWith(prefix)).toBe(true);
      const rest = winner.slice(await offsetOf(server, path));
      expect((await patch(server, path, winner.length - rest.length, rest)).status).toBe(204);
      expect((await stored(server, path)) === winner).toBe(true);
    }
  });

  it('T-031: a hundred PATCHes of a byte, and one of none, work', async () => {
    const server = await startServer();
    const path = await create(server, 100);
    const client = await connect(server);
    for (let offset = 0; offset < 100; offset += 1) {
      const options = { headers: chunkHeaders(offset), body: 'x' };
      expect((await exchange(client, 'PATCH', path, options)).status).toBe(204);
      const empty = { headers: chunkHeaders(offset + 1), body: '' };
      const response = await exchange(client, 'PATCH', path, empty);
      expect([response.status, response.header('upload-offset')]).toEqual([204, `${offset + 1}`]);
    }
    expect(await stored(server, path)).toBe('x'.repeat(100));
  });

  it('T-032: a pre-finish hook may add to the answer', async () => {
    const hooks = recordingHooks({
      'pre-finish': async () => ({ httpResponse: { headers: { 'X-Note': 'done' } } }),
    });
    const server = await startServer({ hooks });
    const response = await patch(server, await create(server, 5), 0, 'hello');
    expect([response.status, response.header('x-note')]).toEqual([204, 'done']);
    expect(response.header('upload-offset')).toBe('5');
  });

  it('T-034 T-036 T-039: what arrived before the connection broke is stored, and is the offset', async () => {
    const server = await startServer();
    for (const breakOff of ['end', 'reset'] as const) {
      const path = await create(server, 1000);
      const client = await connect(server);
      const headers = { ...chunkHeaders(0), 'Content-Length': '1000' };
      await client.send(`${requestHead('PATCH', path, { headers })}${'x'.repeat(400)}`);
      await expect.poll(async () => (await stored(server, path)).length).toBe(400);
      client[breakOff]();
      expect(await offsetOf(server, path)).toBe(400);
      expect((await patch(server, path, 400, 'y'.repeat(600))).status).toBe(204);
      expect(await stored(server, path)).toBe(`${'x'.repeat(400)}${'y'.repeat(600)}`);
    }
  });

  it('T-035: PATCH of an unknown upload is 404', async () => {
    const server = await startServer();
    const response = await patch(server, '/files/unknown', 0, 'hello');
    expect([response.status, response.text]).toEqual([
      404,
      'ERR_UPLOAD_NOT_FOUND: upload not found\n',
    ]);
  });

  it('T-037 T-038 field 50: a silent client is cut off after the timeout, and what it sent is kept', async () => {
    const server = await startServer({ networkTimeoutMs: 100 });
    const path = await create(server, 100);
    const client = await connect(server);
    const headers = { ...chunkHeaders(0), 'Content-Length': '100' };
    await client.send(`${requestHead('PATCH', path, { headers })}0123456789`);
    const response = await client.response();
    expect([response.status, response.text]).toEqual([
      500,
      'ERR_READ_TIMEOUT: timeout while reading request body\n',
    ]);
    expect(['fin', undefined]).toContain(await closedEarly(client));
    expect(await offsetOf(server, path)).toBe(10);
  });

  it('T-036: a client that is slow but not silent is waited for', async () => {
    const server = await startServer({ networkTimeoutMs: 300 });
    const path = await create(server, 8);
    const client = await connect(server);
    const headers = { ...chunkHeaders(0), 'Content-Length': '8' };
    await client.send(requestHead('PATCH', path, { headers }));
    for (let sent = 0; sent < 8; sent += 1) {
      await new Promise((resolve) => setTimeout(resolve, 80));
      await client.send('x');
    }
    expect((await client.response()).status).toBe(204);
  });

  it('T-039 field 37: a chunked body beyond the size is stored up to the size, and 413', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const response = await request(server, 'PATCH', path, {
      headers: chunkHeaders(0),
      body: 'hello world',
      chunked: true,
    });
    expect(response.status).toBe(413);
    expect(response.text).toMatch(/^ERR_UPLOAD_SIZE_EXCEEDED: /);
    expect(await stored(server, path)).toBe('hello');
    expect(await offsetOf(server, path)).toBe(5);
  });

  it('field 37: an announced body beyond the size is 413 before a byte is stored', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    expect((await patch(server, path, 0, 'hello!')).status).toBe(413);
    expect(await stored(server, path)).toBe('');
  });

  it('field 38: PATCH without a body, and at the end of a finished upload, changes nothing', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    const bare = await request(server, 'PATCH', path, { headers: chunkHeaders(0) });
    expect([bare.status, bare.header('upload-offset')]).toEqual([204, '0']);
    await patch(server, path, 0, 'hello');
    const again = await patch(server, path, 5, '');
    expect([again.status, again.header('upload-offset')]).toEqual([204, '5']);
    expect((await patch(server, path, 5, 'more')).status).toBe(413);
    expect(hooks.calls.filter((call) => call === 'post-finish')).toHaveLength(1);
  });
});

describe('PATCH: deferred length', () => {
  it('T-061 field 36: the length comes with a later PATCH', async () => {
    const server = await startServer();
    const path = await create(server, 'deferred');
    expect((await patch(server, path, 0, 'he')).status).toBe(204);
    expect((await patch(server, path, 2, 'llo', { 'Upload-Length': '5' })).status).toBe(204);
    const response = await head(server, path);
    expect(response.header('upload-length')).toBe('5');
    expect(response.header('upload-offset')).toBe('5');
  });

  it('T-061 field 36: or alone, which finishes the upload', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const path = await create(server, 'deferred');
    await patch(server, path, 0, 'hello');
    expect((await patch(server, path, 5, '', { 'Upload-Length': '5' })).status).toBe(204);
    expect(hooks.calls.filter((call) => call.endsWith('finish'))).toEqual([
      'pre-finish',
      'post-finish',
    ]);
  });

  it('T-061 field 36: a length below the offset is 400', async () => {
    const server = await startServer();
    const path = await create(server, 'deferred');
    await patch(server, path, 0, 'hello');
    expect((await patch(server, path, 5, '', { 'Upload-Length': '4' })).status).toBe(400);
    expect((await head(server, path)).header('upload-defer-length')).toBe('1');
  });

  it('T-062 D-4 field 36: a known length may be repeated, but not changed', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    expect((await patch(server, path, 0, 'he', { 'Upload-Length': '5' })).status).toBe(204);
    for (const length of ['4', '6', '1']) {
      const response = await patch(server, path, 2, 'llo', { 'Upload-Length': length });
      expect(response.status).toBe(400);
    }
    const response = await head(server, path);
    expect([response.header('upload-length'), response.header('upload-offset')]).toEqual([
      '5',
      '2',
    ]);
  });

  it('T-069 D-18: a deferred upload cannot outgrow the limit', async () => {
    const server = await startServer({ maxSize: 10 });
    const path = await create(server, 'deferred');
    expect((await patch(server, path, 0, '', { 'Upload-Length': '11' })).status).toBe(413);
    expect((await patch(server, path, 0, 'x'.repeat(11))).status).toBe(413);
    expect(await offsetOf(server, path)).toBe(0);
    const options = { headers: chunkHeaders(0), body: 'x'.repeat(11), chunked: true };
    const crossing = await request(server, 'PATCH', path, options);
    expect([crossing.status, crossing.text]).toEqual([
      413,
      'ERR_MAX_SIZE_EXCEEDED: maximum size exceeded\n',
    ]);
    expect(await offsetOf(server, path)).toBe(10);
  });

  it('T-062: a request that is refused for its body declares no length', async () => {
    const server = await startServer();
    const path = await create(server, 'deferred');
    expect((await patch(server, path, 0, 'hello', { 'Upload-Length': '3' })).status).toBe(413);
    expect((await head(server, path)).header('upload-defer-length')).toBe('1');
    expect((await patch(server, path, 0, 'hello', { 'Upload-Length': '5' })).status).toBe(204);
  });
});

async function stored(server: TestServer, path: string): Promise<string> {
  const onDisk = await readFile(join(server.directory, path.slice(basePath.length)), 'utf8');
  const sent = await download(server, path);
  expect(sent.length).toBeGreaterThanOrEqual(onDisk.length);
  return onDisk;
}
