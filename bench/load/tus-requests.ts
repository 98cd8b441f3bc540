import { randomFillSync } from 'node:crypto';
import type { Connection } from './connection.js';
import { headerOf, type Response } from './response-reader.js';

const block = randomFillSync(Buffer.allocUnsafeSlow(1024 * 1024));

/** The beginning of a tus request, up to its body. */
export function requestHead(
  method: string,
  path: string,
  headers: Readonly<Record<string, string | number>>,
): string {
  const lines = Object.entries({ 'Tus-Resumable': '1.0.0', ...headers });
  return [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...lines.map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n');
}

export function patchHead(
  path: string,
  offset: number,
  length: number,
  headers: Readonly<Record<string, string>> = {},
): string {
  return requestHead('PATCH', path, {
    ...headers,
    'Content-Type': 'application/offset+octet-stream',
    'Upload-Offset': offset,
    'Content-Length': length,
  });
}

/** A request in one piece that creates an upload with all its bytes. */
export function creationWithBody(path: string, bytes: number): Buffer {
  const head = requestHead('POST', path, {
    'Content-Type': 'application/offset+octet-stream',
    'Upload-Length': bytes,
    'Content-Length': bytes,
  });
  return Buffer.concat([Buffer.from(head), ...body(bytes)]);
}

/** Creates an upload, and resolves with its path. */
export async function createUpload(
  connection: Connection,
  path: string,
  length: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const head = requestHead('POST', path, {
    ...headers,
    'Upload-Length': length,
    'Content-Length': 0,
  });
  const response = requireStatus(201, await connection.request('POST', [head]));
  return new URL(headerOf(response.head, 'location') ?? '', 'http://127.0.0.1').pathname;
}

/** Appends to an upload, and makes sure that the server claims to have stored it. */
export async function patch(
  connection: Connection,
  path: string,
  offset: number,
  length: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const head = patchHead(path, offset, length, headers);
  const response = requireStatus(204, await connection.request('PATCH', parts(head, length)));
  const stored = headerOf(response.head, 'upload-offset');
  if (stored !== String(offset + length)) throw new Error(`Upload-Offset is ${stored}`);
}

/** The same bytes again and again: making others would cost more than sending them. */
export function* body(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, left);
}

export function requireStatus(status: number, response: Response): Response {
  if (response.status === status) return response;
  throw new Error(`Expected ${status}, got ${response.head.replaceAll('\r\n', ' | ')}`);
}

function* parts(head: string, bytes: number): Generator<Buffer | string> {
  yield head;
  yield* body(bytes);
}
