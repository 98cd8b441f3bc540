import { TusError } from '../core/errors.js';
import type { Metadata } from '../core/upload.js';
import { isBase64 } from './base64.js';

/** "The key MUST NOT contain spaces and commas and MUST NOT be empty", and is to be ASCII. */
const keyPattern = /^[\x21-\x2b\x2d-\x7e]+$/;

/**
 * Reads an Upload-Metadata header (tus 1.0.0, Creation). Values are decoded as UTF-8; bytes that are none become
 * U+FFFD, which is why the header itself is kept as well.
 *
 * @throws TusError ERR_INVALID_METADATA, naming the pair by its place
 */
export function parseMetadata(header: string): Metadata {
  // Without a prototype, so that a key such as __proto__ is a key like any other.
  const metadata: Record<string, string> = Object.create(null);
  if (header === '') return metadata;
  for (const [index, pair] of header.split(',').entries()) {
    const [key = '', value = '', ...rest] = words(pair, index);
    if (rest.length > 0) throw invalid(index, 'key and value are separated by one space');
    if (!keyPattern.test(key)) throw invalid(index, 'the key is empty or not ASCII');
    if (!isBase64(value)) throw invalid(index, 'the value is not Base64');
    if (key in metadata) throw invalid(index, 'the key is there twice');
    metadata[key] = Buffer.from(value, 'base64').toString('utf8');
  }
  return metadata;
}

/**
 * Writes metadata as an Upload-Metadata header; empty for none. A key that cannot stand in one is left out: hooks and
 * tusd make such keys too, and a header that cannot be sent would cost the client its upload.
 */
export function serializeMetadata(metadata: Metadata): string {
  return Object.entries(metadata)
    .filter(([key]) => keyPattern.test(key))
    .map(([key, value]) => `${key} ${Buffer.from(value, 'utf8').toString('base64')}`)
    .join(',');
}

/**
 * The words of a pair. Proxies join header lines with `, `, and tusd takes that, so one space after a comma belongs to
 * the comma if a whole pair follows. If only one word does, it is the value of an empty key.
 */
function words(pair: string, index: number): string[] {
  const parts = pair.split(' ');
  return index > 0 && parts.length === 3 && parts[0] === '' ? parts.slice(1) : parts;
}

function invalid(index: number, reason: string): TusError {
  return new TusError('ERR_INVALID_METADATA', { detail: `pair ${index + 1}: ${reason}` });
}
