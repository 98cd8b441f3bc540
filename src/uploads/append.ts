import type { BodyChecksum } from '../core/checksum.js';
import type { Upload } from '../core/data-store.js';
import { isTusError, TusError } from '../core/errors.js';
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
  /** How the body is to be verified. */
  readonly checksum?: BodyChecksum | undefined;
}

/**
 * Stores the body of a request behind the bytes that an upload has.
 *
 * @throws TusError ERR_UPLOAD_NOT_FOUND, ERR_UPLOAD_EXPIRED, ERR_MODIFY_FINAL, ERR_MISMATCHED_OFFSET,
 * ERR_INVALID_UPLOAD_LENGTH, ERR_MAX_SIZE_EXCEEDED, ERR_UPLOAD_SIZE_EXCEEDED: all before a byte is read;
 * ERR_UPLOAD_LOCKED, ERR_CHECKSUM_MISMATCH, and what became of the body.
 */
export async function appendToUpload(
  env: Environment,
  request: AppendRequest,
  context: RequestContext,
): Promise<Outcome> {
  await checkAccess(env, 'append', [request.id], context);
  // Its lock is held for as long as its bytes are copied.
  if (env.completions.isRunning(request.id)) throw new TusError('ERR_MODIFY_FINAL');
  // Not counted from the request's offset, which may be wrong: that is for the lock's holder to tell.
  const announced = Math.max(request.size ?? 0, context.bodyLength ?? 0);
  if (env.maxSize !== undefined && announced > env.maxSize) {
    throw new TusError('ERR_MAX_SIZE_EXCEEDED');
  }
  const appended = withLock(env, request.id, context, async (held) => {
    const handle = await env.store.getUpload(request.id, context);
    const found = await handle.getInfo();
    const state = requireLive(env, found);
    if (found.isFinal) throw new TusError('ERR_MODIFY_FINAL');
    checkOffset(found, request.offset);
    const upload = await declareSize(env, handle, found, request.size, context, held);
    const { checksum } = request;
    return receive(env, handle, upload, { context, held }, checksum, state === 'finished');
  });
  return appended.catch(async (error: unknown) => {
    if (isTusError(error, 'ERR_UPLOAD_LOCKED')) await refuseFinal(env, request.id, context);
    throw error;
  });
}

/** "The Server MUST respond with 403 to PATCH requests against a final upload": also while another server is at work on it. */
async function refuseFinal(env: Environment, id: string, context: RequestContext): Promise<void> {
  const { isFinal } = await (await env.store.getUpload(id, context)).getInfo();
  if (isFinal) throw new TusError('ERR_MODIFY_FINAL');
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
