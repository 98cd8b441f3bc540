import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './server.js';
import { writeInfo, writeStored } from './stored.js';
import { connect, create, exchange, head, patch, request } from './tus.js';

const GiB = 1024 ** 3;
const digits = '0123456789';

/** A finished upload of ten digits. */
async function startWithDigits(): Promise<{ server: TestServer; path: string }> {
  const server = await startServer();
  await writeStored(server.directory, 'digits', digits, { Size: 10 });
  return { server, path: '/files/digits' };
}

function getRange(server: TestServer, path: string, range: string, more = {}) {
  return request(server, 'GET', path, { headers: { Range: range, ...more } });
}

describe('GET with a Range', () => {
  it.each([
    ['bytes=0-0', '0', '0-0'],
    ['bytes=3-5', '345', '3-5'],
    ['bytes=9-9', '9', '9-9'],
    ['bytes=0-', digits, '0-9'],
    ['bytes=7-', '789', '7-9'],
    ['bytes=7-99', '789', '7-9'],
    ['bytes=0-99999999999999999999', digits, '0-9'],
    ['bytes=-1', '9', '9-9'],
    ['bytes=-10', digits, '0-9'],
    ['bytes=-99', digits, '0-9'],
    ['Bytes= 3-5', '345', '3-5'],
  ])('field 53: %s is 206 with %s', async (range, text, bytes) => {
    const { server, path } = await startWithDigits();
    const response = await getRange(server, path, range);
    expect([response.status, response.text]).toEqual([206, text]);
    expect(response.header('content-range')).toBe(`bytes ${bytes}/10`);
    expect(response.header('accept-ranges')).toBe('bytes');
    expect(response.header('content-type')).toBe('application/octet-stream');
    expect(response.header('content-disposition')).toBe('attachment');
    expect(response.header('x-content-type-options')).toBe('nosniff');
    expect(response.header('etag')).toBe((await request(server, 'GET', path)).header('etag'));
  });

  it.each(['bytes=10-', 'bytes=10-12', 'bytes=99999999999999999999-', 'bytes=-0'])(
    'field 53: %s is 416, which tells how many bytes there are',
    async (range) => {
      const { server, path } = await startWithDigits();
      const client = await connect(server);
      const response = await exchange(client, 'GET', path, { headers: { Range: range } });
      expect(response.status).toBe(416);
      expect(response.header('content-range')).toBe('bytes */10');
      expect(response.text).toContain('ERR_RANGE_NOT_SATISFIABLE');
      expect(response.header('etag')).toBeUndefined();
      expect(response.header('tus-resumable')).toBe('1.0.0');
      expect((await exchange(client, 'GET', path)).text).toBe(digits);
    },
  );

  it.each([
    'bytes=0-1,3-4',
    'bytes=0-1, 99-',
    'bytes=',
    'bytes=-',
    'bytes=5-3',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=1.0-2',
    'bytes=+1-2',
    'bytes 0-1',
    'bytes:0-1',
    '0-1',
    'items=0-1',
    'bytes=0-1;x',
    '',
  ])('field 53: %j is ignored: 200 with everything', async (range) => {
    const { server, path } = await startWithDigits();
    const response = await getRange(server, path, range);
    expect([response.status, response.text]).toEqual([200, digits]);
    expect(response.header('content-range')).toBeUndefined();
    expect(response.header('accept-ranges')).toBe('bytes');
  });

  it('field 53: of two Range headers none counts', async () => {
    const { server, path } = await startWithDigits();
    const headers = [['Range', 'bytes=0-1'] as const, ['Range', 'bytes=4-5'] as const];
    const response = await request(server, 'GET', path, { headers });
    expect([response.status, response.text]).toEqual([200, digits]);
  });

  it('field 53: the bytes of a finished upload of no bytes are 204, with any range', async () => {
    const server = await startServer();
    const path = await create(server, 0);
    for (const range of ['bytes=0-0', 'bytes=0-', 'bytes=-1', 'bytes=-0']) {
      const response = await getRange(server, path, range);
      expect([response.status, response.text]).toEqual([204, '']);
      expect(response.header('content-range')).toBeUndefined();
    }
  });

  it('field 53: offsets behind 4 GiB are exact', async () => {
    const server = await startServer();
    const size = 6 * GiB;
    await writeInfo(server.directory, 'huge', { Size: size });
    const file = await open(join(server.directory, 'huge'), 'w');
    await file.truncate(size);
    await file.write('before|behind', 4 * GiB - 6);
    await file.write('the end', size - 7);
    await file.close();
    const path = '/files/huge';
    const [start, end] = [4 * GiB - 6, 4 * GiB + 6];
    const middle = await getRange(server, path, `bytes=${start}-${end}`);
    expect([middle.status, middle.text]).toEqual([206, 'before|behind']);
    expect(middle.header('content-range')).toBe(`bytes ${start}-${end}/${size}`);
    const last = await getRange(server, path, 'bytes=-7');
    expect([last.status, last.text]).toEqual([206, 'the end']);
    expect(last.header('content-range')).toBe(`bytes ${size - 7}-${size - 1}/${size}`);
    expect((await getRange(server, path, `bytes=${size}-`)).status).toBe(416);
  });

  it('field 53: HEAD stays that of tus: it tells the offset, whatever the range', async () => {
    const { server, path } = await startWithDigits();
    const response = await head(server, path, { Range: 'bytes=0-1', 'If-None-Match': '*' });
    expect(response.status).toBe(200);
    expect(response.header('upload-offset')).toBe('10');
    expect(response.header('cache-control')).toBe('no-store');
    for (const name of ['etag', 'content-range', 'accept-ranges', 'last-modified']) {
      expect(response.header(name)).toBeUndefined();
    }
  });

  it('field 53: an upload that was interrupted can be downloaded on, range after range', async () => {
    const server = await startServer();
    const content = Buffer.from(Array.from({ length: 700_000 }, (_, index) => index % 251));
    const path = await create(server, content.length);
    await patch(server, path, 0, content);
    const client = await connect(server);
    const pieces: Buffer[] = [];
    for (let start = 0; start < content.length; start += 123_456) {
      const headers = { Range: `bytes=${start}-${start + 123_455}` };
      const { status, body } = await exchange(client, 'GET', path, { headers });
      expect(status).toBe(206);
      pieces.push(body);
    }
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
  });
});

describe('GET of an unfinished upload', () => {
  async function startWithPrefix(size: number | 'deferred' = 10) {
    const server = await startServer();
    const path = await create(server, size);
    await patch(server, path, 0, '01234');
    return { server, path };
  }

  it('field 18: what is stored is sent, and it is told that this is not all', async () => {
    const { server, path } = await startWithPrefix();
    const response = await request(server, 'GET', path);
    expect([response.status, response.text]).toEqual([200, '01234']);
    expect(response.header('upload-offset')).toBe('5');
    expect(response.header('upload-length')).toBe('10');
    await patch(server, path, 5, '56789');
    const whole = await request(server, 'GET', path);
    expect([whole.status, whole.text]).toEqual([200, digits]);
    expect(whole.header('upload-offset')).toBeUndefined();
  });

  it('field 18: nobody knows yet how long one of deferred length becomes', async () => {
    const { server, path } = await startWithPrefix('deferred');
    const response = await request(server, 'GET', path);
    expect(response.header('upload-offset')).toBe('5');
    expect(response.header('upload-defer-length')).toBe('1');
  });

  it.each([
    ['bytes=1-3', '123', 'bytes 1-3/*'],
    ['bytes=3-', '34', 'bytes 3-4/*'],
    ['bytes=3-99', '34', 'bytes 3-4/*'],
  ])(
    'field 53: %s is 206 with %s, of which no complete length is told',
    async (range, text, told) => {
      const { server, path } = await startWithPrefix();
      const response = await getRange(server, path, range);
      expect([response.status, response.text]).toEqual([206, text]);
      expect(response.header('content-range')).toBe(told);
      expect(response.header('upload-offset')).toBe('5');
    },
  );

  it('field 53: its last bytes are not there yet: a suffix is ignored', async () => {
    const { server, path } = await startWithPrefix();
    const response = await getRange(server, path, 'bytes=-2');
    expect([response.status, response.text]).toEqual([200, '01234']);
  });

  it('field 53: what is not there yet is 416, and 206 once it is', async () => {
    const { server, path } = await startWithPrefix();
    const early = await getRange(server, path, 'bytes=5-');
    expect([early.status, early.header('content-range')]).toEqual([416, 'bytes */5']);
    await patch(server, path, 5, '567');
    expect((await getRange(server, path, 'bytes=5-')).text).toBe('567');
  });

  it('field 53: a download of the prefix is not gone on with once there is more', async () => {
    const { server, path } = await startWithPrefix();
    const etag = (await request(server, 'GET', path)).header('etag') ?? '';
    const before = await getRange(server, path, 'bytes=3-', { 'If-Range': etag });
    expect([before.status, before.text]).toEqual([206, '34']);
    await patch(server, path, 5, '56789');
    const after = await getRange(server, path, 'bytes=3-', { 'If-Range': etag });
    expect([after.status, after.text]).toEqual([200, digits]);
  });
});
