import type { RequestContext } from '../core/exchange.js';
import type { Outcome } from '../core/outcome.js';
import { completeBriefly } from './complete-briefly.js';
import type { Environment } from './environment.js';
import { finishReceived } from './finish-received.js';
import { requireLive } from './require-live.js';
import { checkAccess } from './run-hooks.js';
import { outcomeOf } from './state.js';
import { settle, withLock } from './with-lock.js';

/**
 * Tells where an upload stands. A running writer is interrupted and waited for, so that the offset is one from which
 * the client can go on; a finished upload is told without touching a lock. A finish step that failed is run again, and
 * a final upload that can be complete is completed.
 *
 * @throws TusError ERR_UPLOAD_NOT_FOUND, ERR_UPLOAD_EXPIRED, ERR_UPLOAD_LOCKED, ERR_FINISH_FAILED, and for a final upload
 * what `completeFinal` throws
 */
export async function inspectUpload(
  env: Environment,
  id: string,
  context: RequestContext,
): Promise<Outcome> {
  await checkAccess(env, 'inspect', [id], context);
  // Asked first: where nobody holds the lock, whoever writes to what is then seen has come after this request.
  const isLocked = await env.locker.isLocked(id);
  let outcome = await look(env, id, context);
  if (isLocked && outcome.state === 'receiving') {
    await settle(env, id, context);
    outcome = await look(env, id, context);
  }
  const { upload, state } = outcome;
  if (state === 'concatenating' || (state === 'finishing' && upload.isFinal)) {
    return completeBriefly(env, id, context);
  }
  return state === 'finishing' ? runFinishAgain(env, id, context) : outcome;
}

async function look(env: Environment, id: string, context: RequestContext): Promise<Outcome> {
  const handle = await env.store.getUpload(id, context);
  const upload = await handle.getInfo();
  requireLive(env, upload);
  return outcomeOf(env, upload);
}

function runFinishAgain(env: Environment, id: string, context: RequestContext): Promise<Outcome> {
  return withLock(env, id, context, async ({ fence }) => {
    const handle = await env.store.getUpload(id, context);
    const upload = await handle.getInfo();
    if (requireLive(env, upload) !== 'finishing') return outcomeOf(env, upload);
    const finished = await finishReceived(env, handle, upload, context, fence);
    // What the hook wanted to tell the request that brought the last byte is no answer to this one.
    return outcomeOf(env, finished.upload);
  });
}
