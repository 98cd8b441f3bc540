import type { HookHttpResponse } from '../core/hooks.js';
import type { Outcome, UploadState } from '../core/outcome.js';
import { isFull, type UploadInfo } from '../core/upload.js';
import type { Environment } from './environment.js';
import { expiryOf, hasExpired } from './expiry.js';

/**
 * Where an upload stands: the one place that decides it.
 *
 * An upload without a `finish` marker had no step to run when it was made (or was made by tusd, which knows none),
 * so full is finished.
 */
export function uploadState(
  { expiry }: Pick<Environment, 'expiry'>,
  upload: UploadInfo,
): UploadState {
  if (isFull(upload)) return upload.finish === 'pending' ? 'finishing' : 'finished';
  if (upload.isFinal) return 'concatenating';
  return hasExpired(upload, expiry) ? 'expired' : 'receiving';
}

/** What an operation came to that left `upload` like this. */
export function outcomeOf(
  env: Pick<Environment, 'expiry'>,
  upload: UploadInfo,
  httpResponse?: HookHttpResponse,
): Outcome {
  const state = uploadState(env, upload);
  const expiresAt = state === 'receiving' ? expiryOf(upload, env.expiry) : undefined;
  return { upload, state, expiresAt, httpResponse };
}
