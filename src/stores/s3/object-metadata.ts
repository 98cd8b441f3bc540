import type { Metadata } from '../../core/upload.js';

/** Bytes of keys and values that S3 takes as an object's metadata. */
const maxBytes = 2048;
/** AWS takes 8 KiB of headers in all: each entry has its prefix, and there are others. */
const maxEntries = 100;
const maxTypeBytes = 255;
/** What may name a header. */
const tokenPattern = /^[\w!#$%&'*+\-.^`|~]+$/;
const mediaTypePattern = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?: *;[\x20-\x7e]*)?$/;

/**
 * An upload's metadata as that of its object: every character outside printable ASCII becomes `?`, as with tusd. What cannot be
 * the name of a header is left out, and so is what S3 has no room for; the upload's record keeps all of it.
 */
export function objectMetadata(metadata: Metadata): {
  contentType?: string;
  metadata: Record<string, string>;
} {
  const result: Record<string, string> = {};
  let left = maxBytes;
  for (const [key, value] of Object.entries(metadata)) {
    const name = key.toLowerCase();
    const text = value.replaceAll(/[^\x20-\x7e]/gu, '?');
    const bytes = name.length + text.length;
    // Header names know no case: of two that differ in nothing else, the first stays.
    if (!tokenPattern.test(key) || Object.hasOwn(result, name) || bytes > left) continue;
    if (Object.keys(result).length === maxEntries) break;
    result[name] = text;
    left -= bytes;
  }
  const { filetype } = metadata;
  return filetype !== undefined &&
    filetype.length <= maxTypeBytes &&
    mediaTypePattern.test(filetype)
    ? { contentType: filetype, metadata: result }
    : { metadata: result };
}
