import { TusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { Outcome } from '../core/outcome.js';
import type { Environment } from './environment.js';
import { requireLive } from './require-live.js';
import { checkAccess, invokeHook, rejection } from './run-hooks.js';
import { outcomeOf } from './state.js';
import { terminateHeld } from './terminate-held.js';
import { withLock } from './with-lock.js';

/**
 * Removes an upload, finished or not. A running writer or concatenation is interrupted first.
 *
 * @throws TusError ERR_UPLOAD_NOT_FOUND, ERR_UPLOAD_EXPIRED, ERR_UPLOAD_LOCKED, ERR_UPLOAD_TERMINATION_REJECTED,
 * ERR_NOT_IMPLEMENTED
 */
export async function terminateUpload(
  env: Environment,
  id: string,
  context: RequestContext,
): Promise<Outcome> {
  await checkAccess(env, 'terminate', [id], context);
  await env.completions.interrupt(id);
  return withLock(env, id, context, async ({ fence }) => {
    const handle = await env.store.getUpload(id, context);
    const upload = await handle.getInfo();
    requireLive(env, upload);
    if (!handle.terminate) throw new TusError('ERR_NOT_IMPLEMENTED');
    const response = await invokeHook(env, 'pre-terminate', upload, context);
    if (response.rejectTermination) {
      throw rejection('ERR_UPLOAD_TERMINATION_REJECTED', response.httpResponse);
    }
    await terminateHeld(env, handle, upload, context, { signal: context.signal, fence });
    return outcomeOf(env, upload, response.httpResponse);
  });
}
