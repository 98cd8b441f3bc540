import type { Upload } from '../core/data-store.js';
import { TusError } from '../core/errors.js';
import type { HookHttpResponse } from '../core/hooks.js';
import type { Outcome } from '../core/outcome.js';
import type { UploadInfo } from '../core/upload.js';
import { type Environment, logUpload } from './environment.js';
import { invokeHook, publish } from './run-hooks.js';
import { outcomeOf } from './state.js';
import type { WorkContext } from './background.js';

/**
 * Whether an upload made now has a step to run once all bytes are here. Only then does its record carry the marker
 * that is rewritten at the end; an upload without one costs no write more.
 */
export function hasFinishStep(env: Environment): boolean {
  return env.store.capabilities.finishing || (env.hooks?.blocking.has('pre-finish') ?? false);
}

/**
 * What belongs to the end of an upload whose bytes are all stored, under its lock: the store's step, the blocking
 * hook, the mark that both are done, the news. A failure leaves the mark pending, so that the next HEAD or PATCH
 * runs all of it again.
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
      ({ httpResponse } = await invokeHook(env, 'pre-finish', upload, context));
      finished = await handle.update({ finish: 'done' }, { fence });
    } catch (error) {
      throw new TusError('ERR_FINISH_FAILED', { headers: { 'Retry-After': '5' }, cause: error });
    }
  }
  logUpload(env, 'info', 'UploadFinished', context, { id: upload.id, size: upload.size });
  await publish(env, 'post-finish', finished, context);
  return outcomeOf(env, finished, httpResponse);
}
