import type { BodyEnd } from '../core/body.js';
import type { BodyChecksum } from '../core/checksum.js';
import type { Upload, WriteResult } from '../core/data-store.js';
import { type ErrorCode, TusError, toTusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { UploadInfo } from '../core/upload.js';
import { isProvisional, storeVerified } from './checksum/store-verified.js';
import { type Environment, logUpload } from './environment.js';
import { LimitedBody } from './limited-body.js';
import { Progress } from './progress.js';
import { publish, rejection } from './run-hooks.js';
import { type Incoming, storeWhileHeld } from './store-while-held.js';

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
 * asks for the upload, the lock holds and the server runs; and verifies it, where there is a checksum.
 *
 * @throws TusError ERR_UPLOAD_SIZE_EXCEEDED or ERR_MAX_SIZE_EXCEEDED before anything is read where the announced
 * length says that it is too much already.
 */
export async function writeBody(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  incoming: Incoming,
  checksum: BodyChecksum | undefined,
): Promise<WrittenBody> {
  const { context } = incoming;
  const left = requireRoom(env, upload, context);
  const body = new LimitedBody(context.body, left);
  const counts = checksum === undefined || !isProvisional(checksum);
  const progress = new Progress(env, upload, body, context, counts);
  logUpload(env, 'debug', 'ChunkWriteStart', context, {
    id: upload.id,
    maxSize: left,
    offset: upload.offset,
  });
  const store = (): Promise<WriteResult> =>
    checksum === undefined
      ? storeWhileHeld(handle, upload.offset, body, incoming, false)
      : storeVerified(env, handle, upload, body, incoming, checksum);
  const result = await env.runningBodies.during(body, store).finally(() => progress.end());
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
