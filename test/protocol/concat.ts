import type { RawResponse } from './response-reader.js';
import { chunkType, createdPath, lengthHeader, post, type RequestOptions } from './tus.js';

interface Target {
  readonly port: number;
}

export const partial = { 'Upload-Concat': 'partial' };

/** Makes a partial upload with these bytes, and gives back the path of its URL. */
export async function part(target: Target, content: string | Uint8Array): Promise<string> {
  const headers = { ...partial, ...chunkType, ...lengthHeader(Buffer.byteLength(content)) };
  return createdPath(await post(target, headers, { body: content }));
}

/** POST of a final upload. */
export function concat(
  target: Target,
  urls: readonly string[],
  headers: Readonly<Record<string, string>> = {},
  options: RequestOptions = {},
): Promise<RawResponse> {
  return post(target, { 'Upload-Concat': `final;${urls.join(' ')}`, ...headers }, options);
}

/** Makes a final upload, and gives back the path of its URL. */
export async function final(target: Target, ...urls: readonly string[]): Promise<string> {
  return createdPath(await concat(target, urls));
}

export function idOf(path: string): string {
  return decodeURIComponent(path.split('/').slice(2).join('/'));
}
