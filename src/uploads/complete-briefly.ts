import { isTusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { Outcome } from '../core/outcome.js';
import { completeFinal } from './complete-final.js';
import type { Environment } from './environment.js';
import { outcomeOf } from './state.js';

/** Most are put together within that, and the client then asks once. Bytes that have to be copied may take minutes. */
const patienceMs = 1000;

/**
 * Completes the final upload `id` for a request that only wants to know how it stands: what is not done within a moment
 * goes on without it, and the upload is `concatenating`.
 *
 * @throws TusError as `completeFinal` does
 */
export async function completeBriefly(
  env: Environment,
  id: string,
  context: RequestContext,
): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMs);
  });
  try {
    const outcome = await Promise.race([completeFinal(env, id, context), patience]);
    // What the hook wanted to tell the request that began it is no answer to this one.
    if (outcome !== undefined) return outcomeOf(env, outcome.upload);
  } catch (error) {
    // Another process is at work on it.
    if (!isTusError(error, 'ERR_UPLOAD_LOCKED')) throw error;
  } finally {
    clearTimeout(timer);
  }
  const handle = await env.store.getUpload(id, context);
  return { upload: await handle.getInfo(), state: 'concatenating' };
}
