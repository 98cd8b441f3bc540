import type { Upload, WriteOptions } from '../core/data-store.js';
import { isTusError, TusError } from '../core/errors.js';
import type { Outcome } from '../core/outcome.js';
import { isFull, type UploadInfo } from '../core/upload.js';
import { backgroundContext, type WorkContext } from './background.js';
import { type Environment, logUpload } from './environment.js';
import { findParts, type FoundParts, totalSize } from './find-parts.js';
import { finish, hasFinishStep } from './finish.js';
import { onAbort } from './on-abort.js';
import { requireLive } from './require-live.js';
import { outcomeOf, uploadState } from './state.js';
import { type HeldLock, withLock } from './with-lock.js';

/**
 * Puts a final upload together if its parts are all finished, and finishes it; where it is complete already, does nothing.
 * Idempotent, also after a crash in the middle. In this process it runs once at a time for an upload; other processes are
 * kept out by its lock. It does not end when the client of `cause` leaves, only at a shutdown or a termination.
 *
 * Resolves with the state `concatenating` while parts are missing, and then with the size if it can be told already.
 *
 * @param cause the request that led here, for hooks; none where the server acts on its own
 * @param known parts that are finished, and need not be looked up again
 * @throws TusError ERR_PARTIAL_UPLOAD_GONE or ERR_MAX_SIZE_EXCEEDED where the upload can never be complete;
 * ERR_CONCATENATION_FAILED and ERR_FINISH_FAILED where it is worth trying again; ERR_UPLOAD_NOT_FOUND, ERR_UPLOAD_LOCKED,
 * ERR_LOCK_LOST, ERR_SERVER_SHUTDOWN
 */
export function completeFinal(
  env: Environment,
  id: string,
  cause?: WorkContext,
  known?: FoundParts,
): Promise<Outcome> {
  return env.completions.share(id, async (signal) => {
    const context = backgroundContext(signal, cause);
    try {
      return await complete(env, id, context, known);
    } catch (error) {
      // Whatever the store or the locker made of it.
      signal.throwIfAborted();
      const isExpected = isTusError(error) && error.cause === undefined;
      logUpload(env, isExpected ? 'info' : 'error', 'CompletionFailed', context, { id, error });
      throw error;
    }
  });
}

async function complete(
  env: Environment,
  id: string,
  context: WorkContext,
  known: FoundParts | undefined,
): Promise<Outcome> {
  const upload = await (await env.store.getUpload(id, context)).getInfo();
  const state = uploadState(env, upload);
  // Another upload may have taken the ID of one that waited.
  if (state === 'finished' || !upload.isFinal) return outcomeOf(env, upload);
  // Before the lock: most that are asked for still wait for a part, and then there is nothing to lock.
  const found = await findParts(env, state === 'concatenating' ? upload.parts : [], context, known);
  if (state === 'concatenating') {
    const size = finalSize(env, upload, found);
    if (!areFinished(env, upload, found) || size === undefined)
      return outcomeOf(env, { ...upload, size });
  }
  return withLock(env, id, context, (held) => completeHeld(env, id, found, context, held));
}

async function completeHeld(
  env: Environment,
  id: string,
  found: FoundParts,
  context: WorkContext,
  held: HeldLock,
): Promise<Outcome> {
  let handle = await env.store.getUpload(id, context);
  let upload = await handle.getInfo();
  const state = requireLive(env, upload);
  if (state === 'finished') return outcomeOf(env, upload);
  if (state === 'concatenating') {
    const noted = await note(env, handle, upload, finalSize(env, upload, found), held);
    await concat(env, handle, noted, found, context, held);
    // A handle may remember what it read.
    handle = await env.store.getUpload(id, context);
    upload = await handle.getInfo();
    if (!isFull(upload)) {
      throw failed(new Error(`${upload.offset} of ${upload.size} bytes after concat()`));
    }
  }
  return finish(env, handle, upload, context, held.fence);
}

/**
 * Bytes of the whole; undefined while a part's length is not known.
 * @throws TusError where it can never be complete
 */
function finalSize(env: Environment, upload: UploadInfo, found: FoundParts): number | undefined {
  for (const id of upload.parts) {
    const part = found.get(id);
    if (!part?.isPartial || uploadState(env, part) === 'expired') throw gone(id);
  }
  const size = totalSize(upload.parts, found);
  if (upload.size === undefined) {
    if (size !== undefined) requireAllowedSize(env, size);
    return size;
  }
  // What goes by that ID now is another upload than the one that was named.
  if (size !== upload.size) throw gone('its length has changed');
  return size;
}

/**
 * What a final upload waits for that is not complete: parts, in vain because one has gone or they are too long together, or
 * nothing, since its last part was finished (in milliseconds since 1970).
 */
export type FinalWait = 'parts' | 'in-vain' | { readonly readySince: number };

/** Looks at the parts of a final upload, each once. */
export async function waitOf(
  env: Environment,
  upload: UploadInfo,
  context: WorkContext,
): Promise<FinalWait> {
  const found = await findParts(env, upload.parts, context);
  if (areFinished(env, upload, found)) {
    const times = [...found.values()].map((part) => part?.modifiedAt ?? 0);
    return { readySince: times.reduce((latest, time) => Math.max(latest, time), 0) };
  }
  try {
    finalSize(env, upload, found);
    return 'parts';
  } catch (error) {
    if (isTusError(error, 'ERR_PARTIAL_UPLOAD_GONE')) return 'in-vain';
    if (isTusError(error, 'ERR_MAX_SIZE_EXCEEDED')) return 'in-vain';
    throw error;
  }
}

/** @throws TusError ERR_MAX_SIZE_EXCEEDED */
export function requireAllowedSize({ maxSize }: Environment, size: number): void {
  const limit = maxSize ?? Number.MAX_SAFE_INTEGER;
  if (size <= limit) return;
  throw new TusError('ERR_MAX_SIZE_EXCEEDED', {
    detail: `the partial uploads have ${size} bytes together, an upload may have ${limit} at most`,
  });
}

/** The size was not known when it was made, or another server made it and knew of no step at its end. */
async function note(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  size: number | undefined,
  { fence }: HeldLock,
): Promise<UploadInfo> {
  const finish = upload.finish ?? (hasFinishStep(env, upload) ? 'pending' : undefined);
  if (size === upload.size && finish === upload.finish) return upload;
  return handle.update({ size, finish }, { fence });
}

async function concat(
  env: Environment,
  handle: Upload,
  { id, parts, size }: UploadInfo,
  found: FoundParts,
  context: WorkContext,
  { fence, lost }: HeldLock,
): Promise<void> {
  if (!handle.concat) throw new TusError('ERR_CONCATENATION_UNSUPPORTED');
  logUpload(env, 'debug', 'ConcatenationStart', context, { id, parts: parts.length, size });
  const stop = new AbortController();
  const forgetEnd = onAbort(context.signal, () => stop.abort(context.signal.reason));
  const forgetLoss = onAbort(lost, () => stop.abort(new TusError('ERR_LOCK_LOST')));
  const options: WriteOptions = { signal: stop.signal, fence };
  try {
    await handle.concat(
      parts.flatMap((part) => found.get(part) ?? []),
      options,
    );
    stop.signal.throwIfAborted();
  } catch (error) {
    stop.signal.throwIfAborted();
    if (isTusError(error, 'ERR_UPLOAD_NOT_FOUND')) {
      // Which one has gone, it does not say. If it is this one, that is thrown here.
      await env.store.getUpload(id, context);
      throw new TusError('ERR_PARTIAL_UPLOAD_GONE', { cause: error });
    }
    throw failed(error);
  } finally {
    forgetEnd();
    forgetLoss();
  }
}

function areFinished(env: Environment, { parts }: UploadInfo, found: FoundParts): boolean {
  return parts.every((id) => {
    const part = found.get(id);
    return part !== undefined && uploadState(env, part) === 'finished';
  });
}

function gone(detail: string): TusError {
  return new TusError('ERR_PARTIAL_UPLOAD_GONE', { detail });
}

function failed(cause: unknown): TusError {
  return new TusError('ERR_CONCATENATION_FAILED', { headers: { 'Retry-After': '5' }, cause });
}
