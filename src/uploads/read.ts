import type { ByteRange } from '../core/data-store.js';
import { TusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { ReadOutcome, SelectBytes } from '../core/outcome.js';
import { completeBriefly } from './complete-briefly.js';
import type { Environment } from './environment.js';
import { requireLive } from './require-live.js';
import { checkAccess } from './run-hooks.js';
import { outcomeOf, uploadState } from './state.js';

const nothing: ByteRange = { start: 0, end: 0 };

/**
 * Opens what is selected of an upload's bytes at this moment, without touching its lock: of an unfinished one the prefix
 * is there, of a final upload all or nothing.
 *
 * @throws TusError ERR_UPLOAD_NOT_FOUND, ERR_UPLOAD_EXPIRED, ERR_NOT_IMPLEMENTED; ERR_INCOMPLETE_UPLOAD; what
 * `completeFinal` throws for a final upload
 */
export async function readUpload(
  env: Environment,
  id: string,
  select: SelectBytes,
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
  const outcome = outcomeOf(env, upload);
  const selection = select(upload, outcome.state);
  if (upload.offset === 0) return { ...outcome, selection, content: undefined };
  if ('range' in selection) {
    return { ...outcome, selection, content: await handle.read(selection.range, context) };
  }
  // Costs nothing; but a store that refuses or redirects does so whatever the conditions are (RFC 9110, 13.2.1).
  const content = await handle.read(nothing, context);
  if ('redirect' in content) return { ...outcome, selection, content };
  content.stream.destroy();
  return { ...outcome, selection, content: undefined };
}
