import { onTestFinished } from 'vitest';
import { RawClient } from './raw-client.js';
import type { RawResponse } from './response-reader.js';

/** Header lines: an object, or pairs where a name comes twice. */
export type HeaderLines = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

export interface RequestOptions {
  readonly headers?: HeaderLines;
  /** Sent with its Content-Length; `chunked` cuts it into chunks of one piece each instead. */
  readonly body?: string | Uint8Array;
  readonly chunked?: boolean;
  /** Whether Tus-Resumable is added; true by default. */
  readonly version?: boolean;
}

interface Target {
  readonly port: number;
}

export const chunkType = { 'Content-Type': 'application/offset+octet-stream' };
export const basePath = '/files/';

/** A connection for the length of one test. */
export async function connect(target: Target, secure = false): Promise<RawClient> {
  const client = await RawClient.connect({ port: target.port, secure });
  onTestFinished(() => client.close());
  return client;
}

/** The head of a request, to the byte. */
export function requestHead(method: string, path: string, options: RequestOptions = {}): string {
  const { headers = [], body, chunked, version = true } = options;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: uploads.example',
    ...(version ? ['Tus-Resumable: 1.0.0'] : []),
    ...entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(chunked ? ['Transfer-Encoding: chunked'] : []),
    ...(body !== undefined && !chunked ? [`Content-Length: ${Buffer.byteLength(body)}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** One request on a connection of its own, and the response. */
export async function request(
  target: Target,
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<RawResponse> {
  const client = await RawClient.connect({ port: target.port });
  try {
    return await exchange(client, method, path, options);
  } finally {
    await client.close();
  }
}

/** One request on a connection that may serve more, and the response. */
export async function exchange(
  client: RawClient,
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<RawResponse> {
  const { body = '', chunked } = options;
  const content = Buffer.from(body);
  await client.send(
    Buffer.concat([
      Buffer.from(requestHead(method, path, options), 'latin1'),
      chunked ? encodeChunks(content) : content,
    ]),
  );
  return client.response(method === 'HEAD');
}

/** A body in one chunk, and the end of it. */
export function encodeChunks(content: Uint8Array): Buffer {
  const end = Buffer.from('0\r\n\r\n');
  if (content.length === 0) return end;
  const size = Buffer.from(`${content.length.toString(16)}\r\n`);
  return Buffer.concat([size, content, Buffer.from('\r\n'), end]);
}

/** POST to the creation URL. */
export function post(
  target: Target,
  headers: HeaderLines,
  options: RequestOptions = {},
): Promise<RawResponse> {
  return request(target, 'POST', basePath, { ...options, headers });
}

/** Makes an upload and gives back the path of its URL. */
export async function create(
  target: Target,
  size: number | 'deferred',
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const length = size === 'deferred' ? { 'Upload-Defer-Length': '1' } : lengthHeader(size);
  return createdPath(await post(target, { ...length, ...headers }));
}

/** The path of the URL that a 201 gives. */
export function createdPath(response: RawResponse): string {
  if (response.status !== 201) throw new Error(`not created: ${response.status} ${response.text}`);
  return new URL(response.header('location') ?? '', 'http://uploads.example').pathname;
}

/** PATCH with the bytes at the offset. */
export function patch(
  target: Target,
  path: string,
  offset: number,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawResponse> {
  return request(target, 'PATCH', path, {
    headers: { ...chunkType, 'Upload-Offset': String(offset), ...headers },
    body,
  });
}

export function head(
  target: Target,
  path: string,
  headers: HeaderLines = {},
): Promise<RawResponse> {
  return request(target, 'HEAD', path, { headers });
}

/** The offset that HEAD tells; fails for anything but success. */
export async function offsetOf(target: Target, path: string): Promise<number> {
  const response = await head(target, path);
  if (response.status !== 200) throw new Error(`HEAD ${path}: ${response.status}`);
  return Number(response.header('upload-offset'));
}

/** The bytes that GET sends. */
export async function download(target: Target, path: string): Promise<Buffer> {
  return (await request(target, 'GET', path)).body;
}

export function lengthHeader(size: number): { 'Upload-Length': string } {
  return { 'Upload-Length': String(size) };
}

function entries(headers: HeaderLines): readonly (readonly [string, string])[] {
  return isPairs(headers) ? headers : Object.entries(headers);
}

function isPairs(headers: HeaderLines): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers);
}
