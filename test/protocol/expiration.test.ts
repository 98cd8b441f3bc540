import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import type { RawResponse } from './response-reader.js';
import { startServer } from './server.js';
import { writeStored } from './stored.js';
import {
  basePath,
  chunkType,
  create,
  createdPath,
  head,
  lengthHeader,
  patch,
  post,
  request,
} from './tus.js';

const hour = 3_600_000;
const imfFixdate =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

/** When the answer says that the upload expires, in milliseconds from now. */
function expiresIn(response: RawResponse): number {
  const value = response.header('upload-expires') ?? '';
  expect(value).toMatch(imfFixdate);
  return Date.parse(value) - Date.now();
}

function expectAbout(milliseconds: number, expected: number): void {
  expect(Math.abs(milliseconds - expected)).toBeLessThan(60_000);
}

describe('expiration', () => {
  it('T-085: it is announced where uploads expire, and only there', async () => {
    const extensions = async (options: Parameters<typeof startServer>[0]): Promise<string> => {
      const response = await request(await startServer(options), 'OPTIONS', basePath);
      return response.header('tus-extension') ?? '';
    };
    expect(await extensions({ expireAfterMs: hour })).toContain('expiration');
    expect(await extensions({})).not.toContain('expiration');
    const off = await extensions({ expireAfterMs: hour, disableExtensions: ['expiration'] });
    expect(off).not.toContain('expiration');
  });

  it('T-089 T-094: POST tells when the upload expires, as an IMF-fixdate', async () => {
    const server = await startServer({ expireAfterMs: hour });
    const created = await post(server, lengthHeader(5));
    expectAbout(expiresIn(created), hour);
    const withBody = await post(server, { ...lengthHeader(9), ...chunkType }, { body: 'hello' });
    expectAbout(expiresIn(withBody), hour);
  });

  it('T-088: every answer to PATCH tells it, errors too; after the last byte, none', async () => {
    const server = await startServer({ expireAfterMs: hour });
    const path = await create(server, 10);
    const answers = {
      204: await patch(server, path, 0, 'hello'),
      409: await patch(server, path, 0, 'hello'),
      413: await patch(server, path, 5, 'too long for it'),
      415: await request(server, 'PATCH', path, {
        headers: { 'Upload-Offset': '5', 'Content-Type': 'text/plain' },
        body: 'world',
      }),
      400: await request(server, 'PATCH', path, {
        headers: { ...chunkType, 'Upload-Offset': 'x' },
        body: 'world',
      }),
    };
    for (const [status, answer] of Object.entries(answers)) {
      expect(answer.status).toBe(Number(status));
      expectAbout(expiresIn(answer), hour);
    }
    const last = await patch(server, path, 5, 'world');
    expect([last.status, last.header('upload-expires')]).toEqual([204, undefined]);
    expect((await head(server, path)).header('upload-expires')).toBeUndefined();
  });

  it('T-088: a request that may not know of the upload does not learn it', async () => {
    const hooks = recordingHooks();
    const access = async (): Promise<void> => {
      throw new Error('no');
    };
    const open = await startServer({ expireAfterMs: hour, hooks });
    const path = await create(open, 5);
    const closed = await startServer({
      expireAfterMs: hour,
      hooks: { ...hooks, access },
      directory: open.directory,
    });
    const answer = await patch(closed, path, 3, 'x');
    expect([answer.status, answer.header('upload-expires')]).toEqual([500, undefined]);
  });

  it('field 54: HEAD tells it too', async () => {
    const server = await startServer({ expireAfterMs: hour });
    expectAbout(expiresIn(await head(server, await create(server, 5))), hour);
  });

  it('T-090: a sliding time begins anew with every byte, an absolute one does not', async () => {
    for (const [expiry, expected] of [
      ['sliding', hour],
      ['absolute', hour / 2],
    ] as const) {
      const server = await startServer({ expireAfterMs: hour, expiry });
      const createdAt = Date.now() - hour / 2;
      await writeStored(server.directory, 'old', '', { Size: 9, Tuskd: { createdAt } });
      const ago = new Date(createdAt);
      await utimes(join(server.directory, 'old'), ago, ago);
      expectAbout(expiresIn(await head(server, `${basePath}old`)), hour / 2);
      expectAbout(expiresIn(await patch(server, `${basePath}old`, 0, 'hello')), expected);
      expectAbout(expiresIn(await head(server, `${basePath}old`)), expected);
    }
  });

  it('T-091 T-092 D-13 field 54: an expired upload is 410 to all, before any sweep', async () => {
    const server = await startServer({ expireAfterMs: hour });
    await writeStored(server.directory, 'expired', 'he', { Size: 5 });
    const ago = new Date(Date.now() - 2 * hour);
    await utimes(join(server.directory, 'expired'), ago, ago);
    const path = `${basePath}expired`;
    const answers = [
      await head(server, path),
      await patch(server, path, 2, 'llo'),
      await request(server, 'GET', path),
      await request(server, 'DELETE', path),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(410);
      expect(answer.header('upload-offset')).toBeUndefined();
      expect(answer.header('upload-expires')).toBeUndefined();
    }
    expect(answers[1]?.text).toContain('ERR_UPLOAD_EXPIRED');
    expect(await server.files()).toEqual(['expired', 'expired.info']);
  });

  it('T-084: a finished upload does not expire', async () => {
    const server = await startServer({ expireAfterMs: hour });
    await writeStored(server.directory, 'done', 'hello', { Tuskd: { expiresAt: 1 } });
    const ago = new Date(Date.now() - 100 * hour);
    await utimes(join(server.directory, 'done'), ago, ago);
    const answer = await head(server, `${basePath}done`);
    expect([answer.status, answer.header('upload-expires')]).toEqual([200, undefined]);
  });

  it('T-084 T-086: what has expired is removed by and by; what is finished or goes on stays', async () => {
    const server = await startServer({ expireAfterMs: hour, sweepIntervalMs: 10 });
    const finished = await create(server, 5);
    await patch(server, finished, 0, 'hello');
    const running = await create(server, 5);
    await writeStored(server.directory, 'expired', 'he', { Size: 5 });
    const ago = new Date(Date.now() - 2 * hour);
    for (const id of ['expired', finished.slice(basePath.length)]) {
      await utimes(join(server.directory, id), ago, ago);
    }
    await expect.poll(async () => (await head(server, `${basePath}expired`)).status).toBe(404);
    expect((await head(server, running)).status).toBe(200);
    expect((await request(server, 'GET', finished)).text).toBe('hello');
    await expect.poll(async () => (await server.files()).length).toBe(4);
  });

  it('T-089: pre-create may give an upload a time of its own, sliding or not', async () => {
    const at = Date.now() + 10 * hour;
    const changes = [{ expiresAfterMs: 3 * hour }, { expiresAt: at }, {}];
    const hooks = recordingHooks({
      'pre-create': async () => ({ changes: changes.shift() ?? {} }),
    });
    const server = await startServer({ expireAfterMs: hour, hooks });
    for (const [expected, afterwards] of [
      [3 * hour, 3 * hour],
      [10 * hour, 10 * hour],
      [hour, hour],
    ] as const) {
      const created = await post(server, lengthHeader(9));
      expectAbout(expiresIn(created), expected);
      const written = await patch(server, createdPath(created), 0, 'hello');
      expectAbout(expiresIn(written), afterwards);
    }
  });

  it('T-089: with Infinity, only those expire that were given a time', async () => {
    const changes = [{ expiresAfterMs: hour }, {}];
    const hooks = recordingHooks({
      'pre-create': async () => ({ changes: changes.shift() ?? {} }),
    });
    const server = await startServer({ expireAfterMs: Infinity, hooks });
    expectAbout(expiresIn(await post(server, lengthHeader(9))), hour);
    expect((await post(server, lengthHeader(9))).header('upload-expires')).toBeUndefined();
  });
});
