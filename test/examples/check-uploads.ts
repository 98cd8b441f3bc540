import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type UploadedFile, uploadAndResume } from './upload-and-resume.js';

/** What a client needs of a server that takes uploads at `url` and keeps them in `directory`; and what it uploaded. */
export async function checkUploads(url: string, directory: string): Promise<UploadedFile> {
  const file = await uploadAndResume(url);
  const id = file.url.slice(url.length);
  expect(file.url).toBe(`${url}${id}`);
  expect(sha256(await readFile(join(directory, id)))).toBe(file.sha256);

  const download = await fetch(file.url);
  expect(download.status).toBe(200);
  expect(download.headers.get('content-length')).toBe(String(file.size));
  expect(sha256(new Uint8Array(await download.arrayBuffer()))).toBe(file.sha256);

  const options = await fetch(url, { method: 'OPTIONS' });
  expect(options.status).toBe(200);
  expect(options.headers.get('tus-version')).toBe('1.0.0');
  expect(options.headers.get('tus-extension')).toContain('creation');

  await expectError(fetch(`${url}missing`, { method: 'HEAD', headers: version }), 404);
  await expectError(fetch(url, { method: 'POST' }), 412, 'ERR_UNSUPPORTED_VERSION: ');
  const mismatch = { ...version, ...chunkType, 'Upload-Offset': '1' };
  const early = fetch(file.url, { method: 'PATCH', headers: mismatch, body: 'x' });
  await expectError(early, 409, 'ERR_MISMATCHED_OFFSET: ');

  expect((await fetch(file.url, { method: 'DELETE', headers: version })).status).toBe(204);
  await expectError(fetch(file.url), 404, 'ERR_UPLOAD_NOT_FOUND: ');
  return file;
}

const version = { 'Tus-Resumable': '1.0.0' };
const chunkType = { 'Content-Type': 'application/offset+octet-stream' };

async function expectError(answer: Promise<Response>, status: number, text = ''): Promise<void> {
  const response = await answer;
  expect(response.status).toBe(status);
  expect(response.headers.get('tus-resumable')).toBe('1.0.0');
  const body = await response.text();
  expect(body.slice(0, text.length)).toBe(text);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
