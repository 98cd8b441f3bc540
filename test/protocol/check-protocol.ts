import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { TestServer } from './server.js';
import { basePath, chunkType, createdPath, lengthHeader, request } from './tus.js';

/** Long enough for middleware to find it worth compressing, as its type is. */
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
  const packed = await request(server, 'GET', path, { headers: gzip });
  const isPacked = packed.header('content-encoding') === 'gzip';
  expect((isPacked ? gunzipSync(packed.body) : packed.body).toString()).toBe(text);

  const missing = await request(server, 'GET', `${base}missing`, { headers: gzip });
  expect([missing.status, missing.text]).toEqual([404, 'ERR_UPLOAD_NOT_FOUND: upload not found\n']);
  expect(missing.header('content-length')).toBe(String(missing.body.length));
  const unversioned = await request(server, 'POST', base, { version: false });
  expect(unversioned.status).toBe(412);
  expect((await request(server, 'DELETE', path)).status).toBe(204);
  expect((await request(server, 'HEAD', path)).status).toBe(404);
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
