import type { Upload, WriteOptions } from '../core/data-store.js';
import type { UploadInfo } from '../core/upload.js';
import type { WorkContext } from './background.js';
import { type Environment, logUpload } from './environment.js';
import { publish } from './run-hooks.js';

/** Removes an upload whose lock is held, and tells of it; nothing where the store removes none. */
export async function terminateHeld(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  context: WorkContext,
  options: WriteOptions,
): Promise<void> {
  if (!handle.terminate) return;
  await handle.terminate(options);
  logUpload(env, 'info', 'UploadTerminated', context, { id: upload.id });
  await publish(env, 'post-terminate', upload, context);
}
