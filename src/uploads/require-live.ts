import { TusError } from '../core/errors.js';
import type { UploadState } from '../core/outcome.js';
import type { UploadInfo } from '../core/upload.js';
import type { Environment } from './environment.js';
import { uploadState } from './state.js';

/**
 * The state of an upload that a request may still use.
 * @throws TusError ERR_UPLOAD_EXPIRED
 */
export function requireLive(
  env: Pick<Environment, 'expiry'>,
  upload: UploadInfo,
): Exclude<UploadState, 'expired'> {
  const state = uploadState(env, upload);
  if (state === 'expired') throw new TusError('ERR_UPLOAD_EXPIRED');
  return state;
}
