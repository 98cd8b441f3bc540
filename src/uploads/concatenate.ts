import { isTusError, TusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { Outcome } from '../core/outcome.js';
import type { UploadDraft, UploadInfo } from '../core/upload.js';
import { completeFinal, requireAllowedSize } from './complete-final.js';
import { makeUpload, withResponse } from './create.js';
import { backgroundContext } from './background.js';
import { eachOf } from './each-of.js';
import { type Environment, logUpload } from './environment.js';
import { findParts, totalSize } from './find-parts.js';
import { checkAccess } from './run-hooks.js';
import { uploadState } from './state.js';
import { terminateHeld } from './terminate-held.js';
import { withLock } from './with-lock.js';

export interface ConcatenateRequest {
  /** The final upload, with its parts and without a size. */
  readonly draft: UploadDraft;
  /** Whether parts may still be receiving: then the final upload completes itself when the last one is finished. */
  readonly mayWait: boolean;
}

/**
 * Makes a final upload of partial ones. It is complete once this resolves, unless it waits for parts.
 *
 * @throws TusError ERR_PARTIAL_UPLOAD_NOT_FOUND, ERR_NOT_PARTIAL, ERR_UPLOAD_NOT_FINISHED, ERR_MAX_SIZE_EXCEEDED, and what
 * can become of a creation: all before anything is made. ERR_PARTIAL_UPLOAD_GONE, ERR_STORAGE_FULL,
 * ERR_CONCATENATION_FAILED, ERR_FINISH_FAILED, ERR_SERVER_SHUTDOWN: then what was made is removed again, and all parts are
 * still there.
 */
export async function concatenateUploads(
  env: Environment,
  { draft, mayWait }: ConcatenateRequest,
  context: RequestContext,
): Promise<Outcome> {
  const ids = [...new Set(draft.parts)];
  await checkAccess(env, 'concatenate', ids, context);
  const found = await findParts(env, ids, context);
  const unfinished = ids.filter((id) => !isFinishedPart(env, id, found.get(id)));
  const [first] = unfinished;
  if (first !== undefined && !mayWait) {
    throw new TusError('ERR_UPLOAD_NOT_FINISHED', { detail: first });
  }
  const size = totalSize(draft.parts, found);
  if (size !== undefined) requireAllowedSize(env, size);
  const { upload, httpResponse } = await makeUpload(env, { ...draft, size }, context);
  try {
    // The finished ones as well: they must not go while the others are waited for.
    const awaited = unfinished.length > 0 ? ids : [];
    await eachOf(awaited, (id) => noteAwaited(env, id, upload.id, context));
    // Whatever ended before it was noted is seen now; whatever ends from now on finds the note.
    const finished = new Map(found);
    for (const id of unfinished) finished.delete(id);
    return withResponse(await completeFinal(env, upload.id, context, finished), httpResponse);
  } catch (error) {
    await discard(env, upload, context);
    // Nothing is left that could be tried again: what went wrong says more.
    throw isTusError(error, 'ERR_CONCATENATION_FAILED') && isTusError(error.cause)
      ? error.cause
      : error;
  }
}

/** @throws TusError where it can be no part of anything */
function isFinishedPart(env: Environment, id: string, part: UploadInfo | undefined): boolean {
  if (part === undefined) throw new TusError('ERR_PARTIAL_UPLOAD_NOT_FOUND', { detail: id });
  if (part.isFinal) throw notPartial(`${id} is a final upload`);
  if (!part.isPartial) throw notPartial(`${id} was created without Upload-Concat`);
  const state = uploadState(env, part);
  if (state === 'expired') {
    throw new TusError('ERR_PARTIAL_UPLOAD_NOT_FOUND', { detail: `${id} has expired` });
  }
  return state === 'finished';
}

async function noteAwaited(
  env: Environment,
  id: string,
  finalId: string,
  context: RequestContext,
): Promise<void> {
  try {
    const part = await env.store.getUpload(id, context);
    if (!part.noteAwaitedBy)
      throw new TypeError('A store of concatenation without noteAwaitedBy()');
    await part.noteAwaitedBy(finalId, context);
  } catch (error) {
    throw isTusError(error, 'ERR_UPLOAD_NOT_FOUND')
      ? new TusError('ERR_PARTIAL_UPLOAD_NOT_FOUND', { detail: id })
      : error;
  }
}

/** Nobody was told its URL. Its client has to begin anew, and shall not pay for this one's bytes. */
async function discard(env: Environment, upload: UploadInfo, cause: RequestContext): Promise<void> {
  const { id } = upload;
  const context = backgroundContext(undefined, cause);
  try {
    await withLock(env, id, context, async ({ fence }) => {
      const handle = await env.store.getUpload(id, context);
      await terminateHeld(env, handle, upload, context, { fence });
    });
  } catch (error) {
    if (isTusError(error, 'ERR_UPLOAD_NOT_FOUND')) return;
    logUpload(env, 'error', 'UploadDiscardError', context, { id, error });
  }
}

function notPartial(detail: string): TusError {
  return new TusError('ERR_NOT_PARTIAL', { detail });
}
