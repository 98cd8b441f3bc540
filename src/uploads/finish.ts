import type { Upload } from '../core/data-store.js';
import { TusError } from '../core/errors.js';
import type { HookHttpResponse } from '../core/hooks.js';
import type { Outcome } from '../core/outcome.js';
import type { UploadInfo } from '../core/upload.js';
import { type Environment, logUpload } from './environment.js';
import { removeParts } from './remove-parts.js';
import { invokeHook, publish } from './run-hooks.js';
import { outcomeOf } from './state.js';
import type { WorkContext } from './background.js';

/**
 * Whether an upload made now has a step to run once all bytes are here. Only then does its record carry the marker
 * that is rewritten at the end; an upload without one costs no write more.
 */
export function hasFinishStep(
  { store, hooks, removeParts: removesParts }: Environment,
  { isPartial, isFinal, size }: Pick<UploadInfo, 'isPartial' | 'isFinal' | 'size'>,
): boolean {
  if (store.capabilities.finishing) return true;
  // It is full from the beginning, and would be finished before anybody is told.
  if (isFinal && size === 0) return true;
  // "The Server SHOULD NOT process these partial uploads until they are concatenated."
  if (isPartial) return false;
  return (isFinal && removesParts) || (hooks?.blocking.has('pre-finish') ?? false);
}

/**
 * What belongs to the end of an upload whose bytes are all stored, under its lock: the store's step, the blocking
 * hook, the end of the parts that it was made of, the mark that all is done, the news. A failure leaves the mark pending,
 * so that the next HEAD or PATCH runs all of it again. Hooks hear nothing of a part's end.
 *
 * @throws TusError ERR_FINISH_FAILED: 503, so that clients come back; they would begin anew after a 4xx.
 */
export async function finish(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  context: WorkContext,
  fence: number | undefined,
): Promise<Outcome> {
  let finished = upload;
  let httpResponse: HookHttpResponse | undefined;
  if (upload.finish === 'pending') {
    try {
      await handle.finish?.({ signal: context.signal, fence });
      if (!upload.isPartial) {
        ({ httpResponse } = await invokeHook(env, 'pre-finish', upload, context));
      }
      if (upload.isFinal && env.removeParts) await removeParts(env, upload, context);
      finished = await handle.update({ finish: 'done' }, { fence });
    } catch (error) {
      throw new TusError('ERR_FINISH_FAILED', { headers: { 'Retry-After': '5' }, cause: error });
    }
  }
  logUpload(env, 'info', 'UploadFinished', context, { id: upload.id, size: upload.size });
  if (!finished.isPartial) await publish(env, 'post-finish', finished, context);
  return outcomeOf(env, finished, httpResponse);
}
