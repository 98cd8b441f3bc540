import type { Readable } from 'node:stream';
import type { ByteRange, Upload } from '../../core/data-store.js';
import { isTusError, TusError } from '../../core/errors.js';
import type { RequestContext } from '../../core/exchange.js';
import type { Hasher } from './hasher.js';

/**
 * Hashes bytes that are stored already.
 * @throws TusError ERR_INVALID_CHECKSUM where the store can read nothing before an upload's end
 */
export async function hashStored(
  handle: Upload,
  range: ByteRange,
  hasher: Hasher,
  context: RequestContext,
): Promise<void> {
  if (range.start === range.end) return;
  for await (const bytes of await open(handle, range, context)) await hasher.update([bytes]);
}

async function open(handle: Upload, range: ByteRange, context: RequestContext): Promise<Readable> {
  try {
    const result = await handle.read?.(range, context);
    if (result !== undefined && 'stream' in result) return result.stream;
  } catch (error) {
    if (!isTusError(error, 'ERR_INCOMPLETE_UPLOAD')) throw error;
  }
  throw new TusError('ERR_INVALID_CHECKSUM', {
    detail: 'a checksum in a trailer has to be announced here, with "Trailer: Upload-Checksum"',
  });
}
