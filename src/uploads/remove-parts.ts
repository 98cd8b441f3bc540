import type { Upload } from '../core/data-store.js';
import { isTusError } from '../core/errors.js';
import type { UploadInfo } from '../core/upload.js';
import type { WorkContext } from './background.js';
import { eachOf } from './each-of.js';
import { type Environment, logUpload } from './environment.js';
import { findParts } from './find-parts.js';
import { uploadState } from './state.js';
import { terminateHeld } from './terminate-held.js';
import { withLock } from './with-lock.js';

/**
 * Removes the parts of a final upload that is finished, but for those that another one still waits for. Never rejects: what
 * cannot be removed is logged and stays, and so does what a crash or a shutdown leaves, until it expires.
 */
export async function removeParts(
  env: Environment,
  final: UploadInfo,
  context: WorkContext,
): Promise<void> {
  await eachOf(new Set(final.parts), async (id) => {
    try {
      await withLock(env, id, context, ({ fence }) => removePart(env, id, final, context, fence));
    } catch (error) {
      if (context.signal.aborted || isTusError(error, 'ERR_UPLOAD_NOT_FOUND')) return;
      logUpload(env, 'error', 'PartRemovalError', context, { id, error });
    }
  });
}

async function removePart(
  env: Environment,
  id: string,
  final: UploadInfo,
  context: WorkContext,
  fence: number | undefined,
): Promise<void> {
  const handle = await env.store.getUpload(id, context);
  const part = await handle.getInfo();
  if (!part.isPartial || (await isAwaited(env, handle, final.id, context))) return;
  await terminateHeld(env, handle, part, context, { signal: context.signal, fence });
}

/** Whether a final upload, other than `finalId`, still waits to be put together and was noted to need the part. */
export async function isAwaited(
  env: Environment,
  part: Upload,
  finalId: string | undefined,
  context: WorkContext,
): Promise<boolean> {
  const others = ((await part.awaitedBy?.(context)) ?? []).filter((id) => id !== finalId);
  const found = await findParts(env, others, context);
  return [...found.values()].some(
    (other) => other !== undefined && uploadState(env, other) === 'concatenating',
  );
}
