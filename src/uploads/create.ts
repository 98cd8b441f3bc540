import type { Upload } from '../core/data-store.js';
import { TusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { HookHttpResponse, HookResponse } from '../core/hooks.js';
import type { Outcome } from '../core/outcome.js';
import { isFull, type UploadDraft, type UploadInfo } from '../core/upload.js';
import { isUploadId } from '../core/upload-id.js';
import { type Environment, logUpload } from './environment.js';
import { finish, hasFinishStep } from './finish.js';
import { receive } from './receive.js';
import { checkAccess, invokeHook, publish, rejection } from './run-hooks.js';
import { outcomeOf } from './state.js';
import { type HeldLock, withLock } from './with-lock.js';

/**
 * Makes an upload and takes in the body that came with the request, if `withBody`.
 *
 * @throws TusError ERR_MAX_SIZE_EXCEEDED, ERR_UPLOAD_SIZE_EXCEEDED, ERR_UPLOAD_REJECTED, ERR_UPLOAD_EXISTS, and what
 * the access check, the store and the body have to say. Nothing is made unless all checks have passed.
 */
export async function createUpload(
  env: Environment,
  wish: UploadDraft,
  withBody: boolean,
  context: RequestContext,
): Promise<Outcome> {
  await checkAccess(env, 'create', [], context);
  checkSize(env, wish, withBody ? (context.bodyLength ?? 0) : 0);
  const { draft, httpResponse } = await askPreCreate(env, wish, context);
  const handle = await env.store.newUpload(
    { createdAt: Date.now(), finish: hasFinishStep(env) ? 'pending' : undefined, ...draft },
    context,
  );
  const upload = await handle.getInfo();
  logUpload(env, 'info', 'UploadCreated', context, { id: upload.id, size: upload.size });
  await publish(env, 'post-create', upload, context);
  const outcome = await takeIn(env, handle, upload, withBody, context);
  return withResponse(outcome, httpResponse);
}

/** What is to be done with an upload that has just been made. */
async function takeIn(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  withBody: boolean,
  context: RequestContext,
): Promise<Outcome> {
  if (!withBody && !isFull(upload)) return outcomeOf(env, upload);
  const run = (held: HeldLock): Promise<Outcome> =>
    withBody
      ? receive(env, handle, upload, context, held, false)
      : finish(env, handle, upload, context, held.fence);
  // Nobody can want an upload that was never heard of. Hooks and listeners may have told of it, or chosen its ID.
  const isSecret = env.hooks === undefined && env.listeners.isEmpty;
  return withLock(env, upload.id, context, run, isSecret);
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
function withResponse(outcome: Outcome, earlier: HookHttpResponse | undefined): Outcome {
  if (earlier === undefined) return outcome;
  const later = outcome.httpResponse;
  return {
    ...outcome,
    httpResponse: { ...earlier, ...later, headers: { ...earlier.headers, ...later?.headers } },
  };
}
