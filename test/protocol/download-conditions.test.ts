import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './server.js';
import { writeStored } from './stored.js';
import { basePath, connect, create, exchange, patch, request } from './tus.js';

const content = 'hello';
const path = '/files/known';
const writtenAt = 'Sun, 06 Nov 1994 08:49:37 GMT';
const before = 'Sun, 06 Nov 1994 08:49:36 GMT';
const after = 'Sun, 06 Nov 1994 08:49:38 GMT';

/** A finished upload, written at a known time (and a bit). */
async function startWithUpload(): Promise<{ server: TestServer; etag: string }> {
  const server = await startServer();
  await writeStored(server.directory, 'known', content);
  await writeAt(server, (Date.parse(writtenAt) + 700) / 1000);
  return { server, etag: await etagOf(server, path) };
}

function writeAt(server: TestServer, seconds: number): Promise<void> {
  return utimes(join(server.directory, 'known'), seconds, seconds);
}

async function etagOf(server: TestServer, of: string): Promise<string> {
  return (await request(server, 'GET', of)).header('etag') ?? 'none';
}

describe('what tells a download from another', () => {
  it('field 18: a strong ETag and the time of the last write', async () => {
    const { server, etag } = await startWithUpload();
    expect(etag).toMatch(/^"[\x21\x23-\x7e]+"$/);
    const response = await request(server, 'GET', path);
    expect(response.header('etag')).toBe(etag);
    expect(response.header('last-modified')).toBe(writtenAt);
  });

  it('field 18: every server of a directory gives the same ETag, after a restart, too', async () => {
    const server = await startServer();
    const uploaded = await create(server, 5);
    await patch(server, uploaded, 0, content);
    const etag = await etagOf(server, uploaded);
    const other = await startServer({ directory: server.directory });
    expect(await etagOf(other, uploaded)).toBe(etag);
  });

  it('field 18: the ETag changes with every byte that comes', async () => {
    const server = await startServer();
    const growing = await create(server, 5);
    const etags = new Set([await etagOf(server, growing)]);
    for (const [offset, byte] of content.split('').entries()) {
      await patch(server, growing, offset, byte);
      etags.add(await etagOf(server, growing));
    }
    expect(etags.size).toBe(6);
  });

  it('field 18: another upload with the ID and length of one that is gone has another ETag', async () => {
    const { server, etag } = await startWithUpload();
    await request(server, 'DELETE', path);
    await writeStored(server.directory, 'known', 'other');
    await writeAt(server, (Date.parse(writtenAt) + 705) / 1000);
    expect(await etagOf(server, path)).not.toBe(etag);
  });

  it('field 18: no date is later than that of the answer', async () => {
    const { server } = await startWithUpload();
    await writeAt(server, (Date.now() + 3_600_000) / 1000);
    const { header } = await request(server, 'GET', path);
    expect(Date.parse(header('last-modified') ?? '')).toBeLessThanOrEqual(Date.now());
  });

  it('field 18: caches have to ask each time, and must not change the bytes', async () => {
    const { server, etag } = await startWithUpload();
    const requests = [{}, { Range: 'bytes=0-1' }, { 'If-None-Match': etag }];
    for (const headers of requests) {
      const response = await request(server, 'GET', path, { headers });
      expect(response.header('cache-control')).toBe('no-cache, no-transform');
    }
  });

  it('field 18: an answer without an upload has no ETag', async () => {
    const { server } = await startWithUpload();
    const off = await startServer({ disableDownload: true, directory: server.directory });
    const conditions = { 'If-None-Match': '*', 'If-Match': '"x"', Range: 'bytes=0-1' };
    for (const [status, response] of [
      [404, await request(server, 'GET', '/files/unknown', { headers: conditions })],
      [405, await request(off, 'GET', path, { headers: conditions })],
      [405, await request(server, 'GET', basePath, { headers: conditions })],
      [412, await request(server, 'GET', path, { headers: { 'If-Match': '"x"' } })],
    ] as const) {
      expect([response.status, response.header('etag')]).toEqual([status, undefined]);
      expect(response.header('last-modified')).toBeUndefined();
    }
  });
});

describe('GET with conditions', () => {
  const match = '%etag';
  const other = '"other"';

  // In the order of RFC 9110, 13.2.2. `%etag` stands for the upload's.
  it.each<[status: number, headers: Record<string, string>]>([
    [200, { 'If-Match': match }],
    [200, { 'If-Match': '*' }],
    [200, { 'If-Match': `${other}, ${match}` }],
    [412, { 'If-Match': other }],
    [412, { 'If-Match': `W/${match}` }],
    [412, { 'If-Match': 'nonsense' }],
    [200, { 'If-Match': match, 'If-Unmodified-Since': before }],
    [412, { 'If-Match': other, 'If-Unmodified-Since': after }],
    [200, { 'If-Unmodified-Since': writtenAt }],
    [200, { 'If-Unmodified-Since': after }],
    [412, { 'If-Unmodified-Since': before }],
    [200, { 'If-Unmodified-Since': 'yesterday' }],
    [304, { 'If-None-Match': match }],
    [304, { 'If-None-Match': `W/${match}` }],
    [304, { 'If-None-Match': `W/${other} ,${match}` }],
    [304, { 'If-None-Match': '*' }],
    [200, { 'If-None-Match': other }],
    [200, { 'If-None-Match': 'nonsense' }],
    [200, { 'If-None-Match': other, 'If-Modified-Since': after }],
    [304, { 'If-None-Match': match, 'If-Modified-Since': before }],
    [304, { 'If-Modified-Since': writtenAt }],
    [304, { 'If-Modified-Since': after }],
    [304, { 'If-Modified-Since': 'Sunday, 06-Nov-94 08:49:37 GMT' }],
    [304, { 'If-Modified-Since': 'Sun Nov  6 08:49:37 1994' }],
    [200, { 'If-Modified-Since': before }],
    [200, { 'If-Modified-Since': '2030-01-01' }],
    [304, { 'If-Match': match, 'If-None-Match': match }],
    [412, { 'If-Match': other, 'If-None-Match': match }],
    [412, { 'If-Unmodified-Since': before, 'If-Modified-Since': after }],
    [304, { 'If-Unmodified-Since': after, 'If-None-Match': match }],
    [206, { Range: 'bytes=0-1', 'If-Match': match }],
    [412, { Range: 'bytes=0-1', 'If-Match': other }],
    [412, { Range: 'bytes=99-', 'If-Unmodified-Since': before }],
    [304, { Range: 'bytes=0-1', 'If-None-Match': match }],
    [304, { Range: 'bytes=99-', 'If-None-Match': match }],
    [206, { Range: 'bytes=0-1', 'If-None-Match': other }],
    [206, { Range: 'bytes=0-1', 'If-Range': match }],
    [200, { Range: 'bytes=0-1', 'If-Range': `W/${match}` }],
    [200, { Range: 'bytes=0-1', 'If-Range': other }],
    [200, { Range: 'bytes=0-1', 'If-Range': `${match}, ${other}` }],
    [200, { Range: 'bytes=99-', 'If-Range': other }],
    [416, { Range: 'bytes=99-', 'If-Range': match }],
    [206, { Range: 'bytes=0-1', 'If-Range': writtenAt }],
    [200, { Range: 'bytes=0-1', 'If-Range': after }],
    [200, { Range: 'bytes=0-1', 'If-Range': before }],
    [200, { Range: 'bytes=0-1', 'If-Range': 'nonsense' }],
    [200, { 'If-Range': match }],
    [304, { Range: 'bytes=0-1', 'If-Range': other, 'If-None-Match': match }],
  ])('field 53: is %i for %j', async (status, headers) => {
    const { server, etag } = await startWithUpload();
    const sent = Object.entries(headers).map(
      ([name, value]) => [name, value.replace(match, etag)] as const,
    );
    const client = await connect(server);
    const response = await exchange(client, 'GET', path, { headers: sent });
    expect(response.status).toBe(status);
    expect(response.header('tus-resumable')).toBe('1.0.0');
    if (status === 200) expect(response.text).toBe(content);
    if (status === 206) expect(response.text).toBe('he');
    if (status === 412) expect(response.text).toContain('ERR_PRECONDITION_FAILED');
    expect((await exchange(client, 'GET', path)).text).toBe(content);
  });

  it('field 18: 304 has the ETag, and nothing that describes a body', async () => {
    const { server, etag } = await startWithUpload();
    const headers = { 'If-None-Match': etag };
    const response = await request(server, 'GET', path, { headers });
    expect([response.status, response.text]).toEqual([304, '']);
    expect(response.header('etag')).toBe(etag);
    expect(response.header('content-disposition')).toBeUndefined();
    expect(response.header('content-range')).toBeUndefined();
  });

  it('field 18: a copy of the prefix is not the upload', async () => {
    const server = await startServer();
    const growing = await create(server, 5);
    await patch(server, growing, 0, 'hel');
    const headers = { 'If-None-Match': await etagOf(server, growing) };
    expect((await request(server, 'GET', growing, { headers })).status).toBe(304);
    await patch(server, growing, 3, 'lo');
    const response = await request(server, 'GET', growing, { headers });
    expect([response.status, response.text]).toEqual([200, 'hello']);
  });

  it('field 53: the date of an unfinished upload is no reason to go on with a download', async () => {
    const server = await startServer();
    const growing = await create(server, 10);
    await patch(server, growing, 0, 'hello');
    const date = (await request(server, 'GET', growing)).header('last-modified') ?? '';
    const headers = { Range: 'bytes=1-2', 'If-Range': date };
    expect((await request(server, 'GET', growing, { headers })).status).toBe(200);
  });

  it('field 53: conditions hold for an upload of no bytes, too', async () => {
    const server = await startServer();
    const empty = await create(server, 0);
    const etag = await etagOf(server, empty);
    for (const [status, headers] of [
      [204, {}],
      [204, { 'If-Match': etag }],
      [412, { 'If-Match': '"x"' }],
      [304, { 'If-None-Match': etag }],
      [204, { 'If-None-Match': '"x"' }],
      [304, { 'If-Modified-Since': new Date(Date.now() + 5000).toUTCString() }],
    ] as const) {
      const response = await request(server, 'GET', empty, { headers });
      expect([response.status, response.text.length > 0]).toEqual([status, status === 412]);
    }
  });

  it('a header of a mebibyte of commas holds nobody up', async () => {
    const server = await startServer({ serverOptions: { maxHeaderSize: 2 * 1024 * 1024 } });
    await writeStored(server.directory, 'known', content);
    const began = performance.now();
    const headers = { 'If-None-Match': ','.repeat(1024 * 1024) };
    expect((await request(server, 'GET', path, { headers })).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
