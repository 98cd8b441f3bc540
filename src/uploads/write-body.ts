import type { BodyEnd } from '../core/body.js';
import type { Upload, WriteResult } from '../core/data-store.js';
import { type ErrorCode, TusError, toTusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { UploadInfo } from '../core/upload.js';
import { AbandonableWrite } from './abandonable-write.js';
import { type Environment, logUpload } from './environment.js';
import { HeldBody } from './held-body.js';
import { LimitedBody } from './limited-body.js';
import { Progress } from './progress.js';
import { onAbort } from './on-abort.js';
import { publish, rejection } from './run-hooks.js';
import type { HeldLock } from './with-lock.js';

/** What became of a request's body. */
export interface WrittenBody {
  /** The upload with its new offset. */
  readonly upload: UploadInfo;
  /** Why not everything was stored. The bytes that were are in `upload` all the same. */
  readonly error?: TusError | undefined;
  /** A hook wants the upload gone. */
  readonly stopped: boolean;
}

const endErrors = {
  complete: undefined,
  disconnected: 'ERR_CONNECTION_RESET',
  idle: 'ERR_READ_TIMEOUT',
  interrupted: 'ERR_UPLOAD_INTERRUPTED',
  stopped: 'ERR_UPLOAD_STOPPED',
  shutdown: 'ERR_SERVER_SHUTDOWN',
  'too-large': 'ERR_UPLOAD_SIZE_EXCEEDED',
  abandoned: 'ERR_CONNECTION_RESET',
} as const satisfies Record<BodyEnd, ErrorCode | undefined>;

/**
 * Stores the body behind the bytes that are there, up to the upload's size or the limit, for as long as nobody else
 * asks for the upload, the lock holds and the server runs.
 *
 * @throws TusError ERR_UPLOAD_SIZE_EXCEEDED or ERR_MAX_SIZE_EXCEEDED before anything is read where the announced
 * length says that it is too much already.
 */
export async function writeBody(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  context: RequestContext,
  held: HeldLock,
): Promise<WrittenBody> {
  const left = requireRoom(env, upload, context);
  const body = new LimitedBody(context.body, left);
  const progress = new Progress(env, upload, body, context);
  logUpload(env, 'debug', 'ChunkWriteStart', context, {
    id: upload.id,
    maxSize: left,
    offset: upload.offset,
  });
  const result = await env.runningBodies
    .during(body, () => storeWhileHeld(handle, upload.offset, body, context, held))
    .finally(() => progress.end());
  const written = {
    ...upload,
    offset: upload.offset + result.bytesWritten,
    modifiedAt: result.bytesWritten > 0 ? Date.now() : upload.modifiedAt,
  };
  logUpload(env, 'debug', 'ChunkWriteComplete', context, {
    id: upload.id,
    bytesWritten: result.bytesWritten,
  });
  await publish(env, 'post-receive', written, context);
  // Also where the hook spoke up just after the last byte: the upload goes, so the client must not read success.
  const error = progress.isStopped
    ? rejection('ERR_UPLOAD_STOPPED', progress.stopResponse)
    : failure(result.error, body, upload);
  if (error) logEnd(env, context, upload.id, body.endReason, error);
  return { upload: written, stopped: progress.isStopped, error };
}

/**
 * Bytes that the upload may still take.
 * @throws TusError ERR_UPLOAD_SIZE_EXCEEDED or ERR_MAX_SIZE_EXCEEDED where the request announces more
 */
export function requireRoom(env: Environment, upload: UploadInfo, context: RequestContext): number {
  const left = (upload.size ?? env.maxSize ?? Number.MAX_SAFE_INTEGER) - upload.offset;
  if ((context.bodyLength ?? 0) > left) throw sizeExceeded(upload);
  return left;
}

/** Nothing is stored any more once the lock is lost or the work for this request is given up. */
async function storeWhileHeld(
  handle: Upload,
  offset: number,
  body: LimitedBody,
  context: RequestContext,
  held: HeldLock,
): Promise<WriteResult> {
  const writing = new AbandonableWrite(body, held.fence, context.bodyLength);
  const forgetLoss = onAbort(held.lost, () => writing.abandon('ERR_LOCK_LOST'));
  const forgetEnd = context.onAbandoned(() => writing.abandon('ERR_CONNECTION_RESET'));
  held.onReleaseRequest(() => body.stop('interrupted'));
  try {
    const result = await handle.writeChunk(offset, new HeldBody(body, held), writing);
    if (held.lost?.aborted) writing.abandon('ERR_LOCK_LOST');
    return writing.reason === undefined ? result : { ...result, error: writing.reason };
  } finally {
    held.onReleaseRequest(undefined);
    forgetLoss();
    forgetEnd();
  }
}

function failure(storeError: unknown, body: LimitedBody, upload: UploadInfo): TusError | undefined {
  if (storeError !== undefined) return toTusError(storeError);
  const code = endErrors[body.endReason ?? 'complete'];
  if (code === undefined) return undefined;
  if (code === 'ERR_UPLOAD_SIZE_EXCEEDED') return sizeExceeded(upload);
  return new TusError(code);
}

function sizeExceeded(upload: UploadInfo): TusError {
  return upload.size === undefined
    ? new TusError('ERR_MAX_SIZE_EXCEEDED')
    : new TusError('ERR_UPLOAD_SIZE_EXCEEDED', {
        detail: `the upload has ${upload.size} bytes, ${upload.offset} of them are stored`,
      });
}

function logEnd(
  env: Environment,
  context: RequestContext,
  id: string,
  end: BodyEnd | undefined,
  error: TusError,
): void {
  const event = end === 'interrupted' ? 'UploadInterrupted' : 'BodyReadError';
  if (end !== 'complete') logUpload(env, 'info', event, context, { id, error: error.code });
}
