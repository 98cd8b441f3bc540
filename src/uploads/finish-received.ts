import type { Upload } from '../core/data-store.js';
import type { Outcome } from '../core/outcome.js';
import type { UploadInfo } from '../core/upload.js';
import { completeFinal } from './complete-final.js';
import { backgroundContext, type WorkContext } from './background.js';
import { eachOf } from './each-of.js';
import { type Environment, logUpload } from './environment.js';
import { finish } from './finish.js';

/**
 * Finishes an upload whose bytes came from its client, under its lock. If it is a part that final uploads wait for, these
 * are completed in the background: the client does not wait for others' bytes to be copied.
 *
 * @throws TusError as `finish` does
 */
export async function finishReceived(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  context: WorkContext,
  fence: number | undefined,
): Promise<Outcome> {
  const outcome = await finish(env, handle, upload, context, fence);
  // Not before its end is there for all to see: who notes that he waits looks at the part once more afterwards.
  if (upload.isPartial && handle.awaitedBy) completeAwaiting(env, handle, context);
  return outcome;
}

function completeAwaiting(env: Environment, handle: Upload, cause: WorkContext): void {
  const context = backgroundContext(undefined, cause);
  env.completions.inBackground(async () => {
    try {
      const waiting = (await handle.awaitedBy?.()) ?? [];
      await eachOf(waiting, async (id) => {
        // It has been logged, and the final upload's next request tries again.
        await completeAnew(env, id, context).catch(() => undefined);
      });
    } catch (error) {
      logUpload(env, 'error', 'AwaitedByError', context, { id: handle.id, error });
    }
  });
}

/** Work that is shared may have begun before, and have looked at the part before its end. */
async function completeAnew(env: Environment, id: string, context: WorkContext): Promise<void> {
  const isShared = env.completions.isRunning(id);
  const { state } = await completeFinal(env, id, context);
  if (isShared && state === 'concatenating') await completeFinal(env, id, context);
}
