import { expect } from 'vitest';
import type { TestServer } from './server.js';
import { basePath, chunkType, createdPath, lengthHeader, request } from './tus.js';

/** Long enough for middleware to find it worth compressing, as its type is, and so is a range of it. */
export const text = 'hello world\n'.repeat(10_000);
export const gzip = { 'Accept-Encoding': 'gzip' };

const textMetadata = { 'Upload-Metadata': `filetype ${btoa('text/plain')}` };

/** Uploads the text and gives back its path. */
export async function uploadText(server: TestServer, base: string = basePath): Promise<string> {
  const headers = { ...lengthHeader(text.length), ...textMetadata };
  const path = createdPath(await request(server, 'POST', base, { headers }));
  const patch = { ...chunkType, 'Upload-Offset': '0' };
  const appended = await request(server, 'PATCH', path, { headers: patch, body: text });
  expect([appended.status, appended.text]).toEqual([204, '']);
  expect(appended.header('upload-offset')).toBe(String(text.length));
  return path;
}

/** Sends every method once, for a client that can unpack: answers are right and have the length that they say. */
export async function checkProtocol(server: TestServer, base: string = basePath): Promise<void> {
  const options = await request(server, 'OPTIONS', base, { headers: gzip });
  expect([options.status, options.header('tus-version')]).toEqual([200, '1.0.0']);
  const path = await uploadText(server, base);
  expect(path.slice(0, base.length)).toBe(base);

  const head = await request(server, 'HEAD', path, { headers: gzip });
  expect([head.status, head.header('upload-offset')]).toEqual([200, String(text.length)]);
  const plain = await request(server, 'GET', path);
  expect(plain.header('content-length')).toBe(String(text.length));
  expect(plain.text).toBe(text);
  await checkUnpacked(server, path);

  const missing = await request(server, 'GET', `${base}missing`, { headers: gzip });
  expect([missing.status, missing.text]).toEqual([404, 'ERR_UPLOAD_NOT_FOUND: upload not found\n']);
  expect(missing.header('content-length')).toBe(String(missing.body.length));
  const unversioned = await request(server, 'POST', base, { version: false });
  expect(unversioned.status).toBe(412);
  expect((await request(server, 'DELETE', path)).status).toBe(204);
  expect((await request(server, 'HEAD', path)).status).toBe(404);
}

/** A client that can unpack gets the bytes as they are: of others, neither the ETag nor a range would be true. */
async function checkUnpacked(server: TestServer, path: string): Promise<void> {
  const whole = await request(server, 'GET', path, { headers: gzip });
  expect([whole.status, whole.text]).toEqual([200, text]);
  const [start, end] = [6, 60_000];
  const etag = whole.header('etag') ?? '';
  const headers = { ...gzip, Range: `bytes=${start}-${end}`, 'If-Range': etag };
  const part = await request(server, 'GET', path, { headers });
  expect([part.status, part.text]).toEqual([206, text.slice(start, end + 1)]);
  expect(part.header('content-range')).toBe(`bytes ${start}-${end}/${text.length}`);
  for (const answer of [whole, part]) {
    expect(answer.header('content-encoding')).toBeUndefined();
    expect(answer.header('content-length')).toBe(String(answer.body.length));
    expect(answer.header('etag')).toMatch(/^"/);
  }
  const known = { ...gzip, 'If-None-Match': etag };
  expect((await request(server, 'GET', path, { headers: known })).status).toBe(304);
}

/** That a PATCH whose body somebody has read is refused in words that help, and nothing is stored. */
export async function checkConsumedBody(server: TestServer): Promise<void> {
  const path = createdPath(await request(server, 'POST', basePath, { headers: lengthHeader(5) }));
  const headers = { ...chunkType, 'Upload-Offset': '0' };
  const answer = await request(server, 'PATCH', path, { headers, body: 'hello' });
  expect(answer.status).toBe(500);
  expect(answer.text).toContain('mount the handler before any body parser');
  expect(answer.header('tus-resumable')).toBe('1.0.0');
  expect((await request(server, 'HEAD', path)).header('upload-offset')).toBe('0');
}
