import type { BodyChecksum } from '../core/checksum.js';
import type { Upload } from '../core/data-store.js';
import { type ErrorCode, isTusError, TusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { HookHttpResponse, HookResponse } from '../core/hooks.js';
import type { Outcome } from '../core/outcome.js';
import { isFull, type UploadDraft, type UploadInfo } from '../core/upload.js';
import { isUploadId } from '../core/upload-id.js';
import { type Environment, logUpload } from './environment.js';
import { expiryOf } from './expiry.js';
import { hasFinishStep } from './finish.js';
import { finishReceived } from './finish-received.js';
import { receive } from './receive.js';
import { checkAccess, invokeHook, publish, rejection } from './run-hooks.js';
import { outcomeOf } from './state.js';
import { type HeldLock, withLock } from './with-lock.js';

/** After these the upload stands as it was made, and waits for its bytes: the client is told where. */
const needsBytesAgain: ReadonlySet<ErrorCode> = new Set([
  'ERR_CHECKSUM_MISMATCH',
  'ERR_INVALID_CHECKSUM',
]);

/**
 * Makes an upload and takes in the body that came with the request, if `withBody`, verified with `checksum`.
 *
 * @throws TusError ERR_MAX_SIZE_EXCEEDED, ERR_UPLOAD_SIZE_EXCEEDED, ERR_UPLOAD_REJECTED, ERR_UPLOAD_EXISTS, and what
 * the access check, the store and the body have to say. Nothing is made unless all checks have passed.
 */
export async function createUpload(
  env: Environment,
  wish: UploadDraft,
  withBody: boolean,
  context: RequestContext,
  checksum?: BodyChecksum,
): Promise<Outcome> {
  await checkAccess(env, 'create', [], context);
  checkSize(env, wish, withBody ? (context.bodyLength ?? 0) : 0);
  const { handle, upload, httpResponse } = await makeUpload(env, wish, context);
  const outcome = await takeIn(env, handle, upload, withBody, context, checksum);
  return withResponse(outcome, httpResponse);
}

/** An upload that has just been made, and what pre-create wants of the answer. */
interface MadeUpload {
  readonly handle: Upload;
  readonly upload: UploadInfo;
  readonly httpResponse: HookHttpResponse | undefined;
}

/** Makes an upload as pre-create wants it, and tells of it. */
export async function makeUpload(
  env: Environment,
  wish: UploadDraft,
  context: RequestContext,
): Promise<MadeUpload> {
  const { draft, httpResponse } = await askPreCreate(env, wish, context);
  const handle = await env.store.newUpload(
    { createdAt: Date.now(), finish: hasFinishStep(env, draft) ? 'pending' : undefined, ...draft },
    context,
  );
  const upload = await handle.getInfo();
  logUpload(env, 'info', 'UploadCreated', context, { id: upload.id, size: upload.size });
  await publish(env, 'post-create', upload, context);
  return { handle, upload, httpResponse };
}

/** What is to be done with an upload that has just been made. */
async function takeIn(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  withBody: boolean,
  context: RequestContext,
  checksum: BodyChecksum | undefined,
): Promise<Outcome> {
  if (!withBody && !isFull(upload)) return outcomeOf(env, upload);
  const run = (held: HeldLock): Promise<Outcome> =>
    withBody
      ? receive(env, handle, upload, { context, held }, checksum, false)
      : finishReceived(env, handle, upload, context, held.fence);
  // Nobody can want an upload that was never heard of. Hooks and listeners may have told of it, or chosen its ID; and what
  // expires, another process may sweep.
  const isSecret =
    env.hooks === undefined && env.listeners.isEmpty && expiryOf(upload, env.expiry) === undefined;
  try {
    return await withLock(env, upload.id, context, run, isSecret);
  } catch (error) {
    throw isTusError(error) && needsBytesAgain.has(error.code) ? error.about(upload.id) : error;
  }
}

function checkSize(env: Environment, { size }: UploadDraft, bodyLength: number): void {
  if (env.maxSize !== undefined && Math.max(size ?? 0, bodyLength) > env.maxSize) {
    throw new TusError('ERR_MAX_SIZE_EXCEEDED', {
      detail: `an upload may have ${env.maxSize} bytes at most`,
    });
  }
  if (size !== undefined && bodyLength > size) throw new TusError('ERR_UPLOAD_SIZE_EXCEEDED');
}

async function askPreCreate(
  env: Environment,
  wish: UploadDraft,
  context: RequestContext,
): Promise<{ draft: UploadDraft; httpResponse?: HookHttpResponse | undefined }> {
  if (!env.hooks?.blocking.has('pre-create')) return { draft: wish };
  const response = await invokeHook(
    env,
    'pre-create',
    { ...wish, id: wish.id ?? '', offset: 0, modifiedAt: Date.now(), storage: {} },
    context,
  );
  if (response.rejectUpload) throw rejection('ERR_UPLOAD_REJECTED', response.httpResponse);
  return { draft: applyChanges(wish, response.changes), httpResponse: response.httpResponse };
}

function applyChanges(wish: UploadDraft, changes: HookResponse['changes']): UploadDraft {
  if (changes === undefined) return wish;
  const { id, metadata, storage, expiresAt, expiresAfterMs } = changes;
  if (id !== undefined && !isUploadId(id)) {
    throw new Error(
      `pre-create hook wants the upload ID ${JSON.stringify(id)}, which is not valid`,
    );
  }
  return {
    ...wish,
    id: id ?? wish.id,
    storage: storage ?? wish.storage,
    expiresAt: expiresAt ?? wish.expiresAt,
    expiresAfterMs: expiresAfterMs ?? wish.expiresAfterMs,
    metadata: metadata === undefined ? wish.metadata : Object.assign(Object.create(null), metadata),
    // With other metadata, what the client sent is no longer what HEAD has to give back.
    rawMetadata: metadata === undefined ? wish.rawMetadata : undefined,
  };
}

/** Where both pre-create and pre-finish want something of the answer, the later one wins. */
export function withResponse(outcome: Outcome, earlier: HookHttpResponse | undefined): Outcome {
  if (earlier === undefined) return outcome;
  const later = outcome.httpResponse;
  return {
    ...outcome,
    httpResponse: { ...earlier, ...later, headers: { ...earlier.headers, ...later?.headers } },
  };
}
