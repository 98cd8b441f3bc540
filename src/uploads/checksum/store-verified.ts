import type { Body } from '../../core/body.js';
import type { BodyChecksum, Checksum } from '../../core/checksum.js';
import type { Upload, WriteResult } from '../../core/data-store.js';
import { TusError } from '../../core/errors.js';
import type { RequestContext } from '../../core/exchange.js';
import type { UploadInfo } from '../../core/upload.js';
import { type Environment, logUpload } from '../environment.js';
import { type Incoming, storeWhileHeld } from '../store-while-held.js';
import { availableAlgorithms, createDigest } from './digest.js';
import { hashStored } from './hash-stored.js';
import { HashedBody } from './hashed-body.js';
import { openHasher } from './open-hasher.js';

/** Whether nothing of a body counts before it is verified. */
export function isProvisional({ expected, isAnnounced }: BodyChecksum): boolean {
  return expected !== undefined || isAnnounced;
}

/**
 * Stores a body and verifies it. Where it is not what it was to be, or broke off and cannot be verified, nothing counts as
 * written.
 */
export function storeVerified(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  body: Body,
  incoming: Incoming,
  checksum: BodyChecksum,
): Promise<WriteResult> {
  if (incoming.context.bodyLength === 0) return verifyEmpty(body, checksum);
  const store = isProvisional(checksum) ? storeProvisionally : storeAndLookBack;
  return store(env, handle, upload, body, incoming, checksum);
}

/** A body that is announced to be empty needs no store, which may have finished the upload long ago. */
async function verifyEmpty(body: Body, checksum: BodyChecksum): Promise<WriteResult> {
  // Trailers come with the end.
  await body.next();
  const error = await whatIsWrong(body, async () => {
    const wanted = requireChecksum(checksum, body);
    requireEqual(wanted, createDigest(wanted.algorithm).digest());
  });
  return { bytesWritten: 0, error };
}

/** A checksum is known to come: the bytes are hashed on their way, and count once they are verified. */
async function storeProvisionally(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  body: Body,
  incoming: Incoming,
  checksum: BodyChecksum,
): Promise<WriteResult> {
  const { context, held } = incoming;
  // "Trailer: Upload-Checksum" does not say which algorithm it is going to be.
  const algorithms = checksum.expected ? [checksum.expected.algorithm] : availableAlgorithms();
  const hasher = await openHasher(algorithms, context.bodyLength, warner(env, context));
  try {
    const hashed = new HashedBody(body, hasher);
    const result = await storeWhileHeld(handle, upload.offset, hashed, incoming, true);
    const error =
      hashed.failure ??
      result.error ??
      (await whatIsWrong(hashed, async () => {
        const wanted = requireChecksum(checksum, hashed);
        requireEqual(wanted, await hasher.digest(wanted.algorithm));
      }));
    // To whoever holds the lock now, the chunk counts for nothing.
    if (held.lost?.aborted) return { bytesWritten: 0, error: new TusError('ERR_LOCK_LOST') };
    if (error === undefined && hashed.endReason === 'complete') {
      await handle.commitChunk?.({ fence: held.fence });
      return held.lost?.aborted ? { ...result, error: new TusError('ERR_LOCK_LOST') } : result;
    }
    await discardUncounted(env, handle, incoming);
    return { bytesWritten: 0, error };
  } finally {
    hasher.close();
  }
}

/** A checksum may turn up in the trailers although nobody has announced it: then the chunk is read once more. */
async function storeAndLookBack(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  body: Body,
  incoming: Incoming,
  checksum: BodyChecksum,
): Promise<WriteResult> {
  const { context, held } = incoming;
  const result = await storeWhileHeld(handle, upload.offset, body, incoming, false);
  if (result.error !== undefined) return result;
  const error = await whatIsWrong(body, async () => {
    const wanted = trailerOf(checksum, body);
    if (wanted === undefined) return;
    const range = { start: upload.offset, end: upload.offset + result.bytesWritten };
    const hasher = await openHasher([wanted.algorithm], result.bytesWritten, warner(env, context));
    try {
      await hashStored(handle, range, hasher, context);
      requireEqual(wanted, await hasher.digest(wanted.algorithm));
    } finally {
      hasher.close();
    }
  });
  if (error === undefined) return result;
  if (held.lost?.aborted) return { ...result, error: new TusError('ERR_LOCK_LOST') };
  // Should this fail, so does the request: wrong bytes count now.
  await handle.discardChunk?.({ fence: held.fence });
  return { bytesWritten: 0, error };
}

/** What `verify` has thrown; undefined where nothing, or where the body broke off, so that there is nothing to verify. */
async function whatIsWrong(body: Body, verify: () => Promise<void>): Promise<unknown> {
  if (body.endReason !== 'complete') return undefined;
  try {
    await verify();
    return undefined;
  } catch (error) {
    return error;
  }
}

function trailerOf(checksum: BodyChecksum, { trailers }: Body): Checksum | undefined {
  return trailers && checksum.ofTrailers?.(trailers);
}

function requireEqual({ digest }: Checksum, actual: Uint8Array): void {
  if (Buffer.compare(digest, actual) !== 0) throw new TusError('ERR_CHECKSUM_MISMATCH');
}

function requireChecksum(checksum: BodyChecksum, body: Body): Checksum {
  const wanted = checksum.expected ?? trailerOf(checksum, body);
  if (wanted !== undefined) return wanted;
  throw new TusError('ERR_INVALID_CHECKSUM', {
    detail: 'the trailer was announced, but the request ended without it',
  });
}

/** It counts for nothing anyway: where it cannot be removed, the store forgets it when somebody writes there again. */
async function discardUncounted(
  env: Environment,
  handle: Upload,
  { context, held }: Incoming,
): Promise<void> {
  try {
    await handle.discardChunk?.({ fence: held.fence });
  } catch (error) {
    logUpload(env, 'warn', 'ChunkDiscardError', context, { id: handle.id, error });
  }
}

function warner(env: Environment, context: RequestContext): (error: unknown) => void {
  return (error) => logUpload(env, 'warn', 'HashingThreadUnavailable', context, { error });
}
