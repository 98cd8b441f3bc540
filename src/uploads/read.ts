import { TusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { ReadOutcome } from '../core/outcome.js';
import { completeBriefly } from './complete-briefly.js';
import type { Environment } from './environment.js';
import { requireLive } from './require-live.js';
import { checkAccess } from './run-hooks.js';
import { outcomeOf, uploadState } from './state.js';

/**
 * Opens what is stored of an upload at this moment, without touching its lock: of an unfinished one the prefix,
 * but of a final upload all or nothing.
 *
 * @throws TusError ERR_UPLOAD_NOT_FOUND, ERR_UPLOAD_EXPIRED, ERR_NOT_IMPLEMENTED; ERR_INCOMPLETE_UPLOAD and what
 * `completeFinal` throws for a final upload
 */
export async function readUpload(
  env: Environment,
  id: string,
  context: RequestContext,
): Promise<ReadOutcome> {
  await checkAccess(env, 'read', [id], context);
  let handle = await env.store.getUpload(id, context);
  let upload = await handle.getInfo();
  if (uploadState(env, upload) === 'concatenating') {
    const outcome = await completeBriefly(env, id, context);
    if (outcome.state === 'concatenating') throw new TusError('ERR_INCOMPLETE_UPLOAD');
    handle = await env.store.getUpload(id, context);
    upload = await handle.getInfo();
  }
  requireLive(env, upload);
  if (!handle.read) throw new TusError('ERR_NOT_IMPLEMENTED');
  const content =
    upload.offset === 0 ? undefined : await handle.read({ start: 0, end: upload.offset }, context);
  return { ...outcomeOf(env, upload), content };
}
