import type { Upload } from '../core/data-store.js';
import { TusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { Outcome } from '../core/outcome.js';
import type { UploadInfo } from '../core/upload.js';
import type { Environment } from './environment.js';
import { receive } from './receive.js';
import { checkAccess } from './run-hooks.js';
import { requireLive } from './require-live.js';
import { type HeldLock, withLock } from './with-lock.js';
import { requireRoom } from './write-body.js';

export interface AppendRequest {
  readonly id: string;
  /** Where the client believes the upload to stand. */
  readonly offset: number;
  /** The whole upload's bytes, where the client declares them with this request. */
  readonly size?: number | undefined;
}

/**
 * Stores the body of a request behind the bytes that an upload has.
 *
 * @throws TusError ERR_UPLOAD_NOT_FOUND, ERR_UPLOAD_EXPIRED, ERR_MODIFY_FINAL, ERR_MISMATCHED_OFFSET,
 * ERR_INVALID_UPLOAD_LENGTH, ERR_MAX_SIZE_EXCEEDED, ERR_UPLOAD_SIZE_EXCEEDED: all before a byte is read;
 * ERR_UPLOAD_LOCKED, and what became of the body.
 */
export async function appendToUpload(
  env: Environment,
  request: AppendRequest,
  context: RequestContext,
): Promise<Outcome> {
  await checkAccess(env, 'append', [request.id], context);
  // Not counted from the request's offset, which may be wrong: that is for the lock's holder to tell.
  const announced = Math.max(request.size ?? 0, context.bodyLength ?? 0);
  if (env.maxSize !== undefined && announced > env.maxSize) {
    throw new TusError('ERR_MAX_SIZE_EXCEEDED');
  }
  return withLock(env, request.id, context, async (held) => {
    const handle = await env.store.getUpload(request.id, context);
    const found = await handle.getInfo();
    const state = requireLive(env, found);
    if (found.isFinal) throw new TusError('ERR_MODIFY_FINAL');
    checkOffset(found, request.offset);
    const upload = await declareSize(env, handle, found, request.size, context, held);
    return receive(env, handle, upload, context, held, state === 'finished');
  });
}

function checkOffset(upload: UploadInfo, offset: number): void {
  if (upload.offset === offset) return;
  throw new TusError('ERR_MISMATCHED_OFFSET', {
    detail: `the upload has ${upload.offset} bytes, the request begins at ${offset}`,
  });
}

async function declareSize(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  size: number | undefined,
  context: RequestContext,
  held: HeldLock,
): Promise<UploadInfo> {
  if (size === undefined || size === upload.size) return upload;
  if (upload.size !== undefined) throw invalidLength(`it is ${upload.size} and does not change`);
  if (!env.store.capabilities.declaredLength) throw new TusError('ERR_NOT_IMPLEMENTED');
  if (size < upload.offset) throw invalidLength(`${upload.offset} bytes are stored already`);
  // A request that is about to be refused must not settle the length for good.
  requireRoom(env, { ...upload, size }, context);
  return handle.update({ size }, { fence: held.fence });
}

function invalidLength(detail: string): TusError {
  return new TusError('ERR_INVALID_UPLOAD_LENGTH', { detail });
}
