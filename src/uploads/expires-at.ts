import type { RequestContext } from '../core/exchange.js';
import type { Environment } from './environment.js';
import { checkAccess } from './run-hooks.js';
import { outcomeOf } from './state.js';

/**
 * When an upload expires, for a request that failed: "Upload-Expires MUST be included in every PATCH response if the
 * upload is going to expire." Undefined where it does not, cannot be found, or is not for this request to know.
 */
export async function expiresAt(
  env: Environment,
  id: string,
  context: RequestContext,
): Promise<number | undefined> {
  try {
    await checkAccess(env, 'append', [id], context);
    const upload = await (await env.store.getUpload(id, context)).getInfo();
    return outcomeOf(env, upload).expiresAt;
  } catch {
    // The request has its answer already; without the date it is as good.
    return undefined;
  }
}
