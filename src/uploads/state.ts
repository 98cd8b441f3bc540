import type { UploadState } from '../core/outcome.js';
import { isFull, type UploadInfo } from '../core/upload.js';

/**
 * Where an upload stands: the one place that decides it.
 *
 * An upload without a `finish` marker had no step to run when it was made (or was made by tusd, which knows none),
 * so full is finished.
 */
export function uploadState(upload: UploadInfo, now = Date.now()): UploadState {
  if (isFull(upload)) return upload.finish === 'pending' ? 'finishing' : 'finished';
  // It does not expire: its parts do, and then it can never be.
  if (upload.isFinal) return 'concatenating';
  return upload.expiresAt !== undefined && upload.expiresAt <= now ? 'expired' : 'receiving';
}
