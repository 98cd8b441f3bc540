import type { UploadInfo } from '../core/upload.js';

/**
 * From when the time of an upload runs that is not finished.
 *
 * - `sliding`: from the last byte that was written to it
 * - `absolute`: from its creation
 */
export type ExpiryKind = 'sliding' | 'absolute';

/** After how long uploads expire that say nothing of it themselves. */
export interface ExpiryPolicy {
  readonly kind: ExpiryKind;
  /** In milliseconds; Infinity = never. */
  readonly afterMs: number;
}

/**
 * When an upload expires unless it is finished by then, in milliseconds since 1970; undefined = never. Its own word counts
 * before the server's. No write is needed for a time that slides: the store knows when it last wrote.
 *
 * A final upload has no time of its own: it waits for its parts, which have theirs.
 *
 * @param policy undefined where the extension is off
 */
export function expiryOf(upload: UploadInfo, policy: ExpiryPolicy | undefined): number | undefined {
  if (policy === undefined || upload.isFinal) return undefined;
  if (upload.expiresAt !== undefined) return upload.expiresAt;
  const slides = upload.expiresAfterMs !== undefined || policy.kind === 'sliding';
  // tusd does not note when it made an upload.
  const from = slides ? upload.modifiedAt : (upload.createdAt ?? upload.modifiedAt);
  const at = from + (upload.expiresAfterMs ?? policy.afterMs);
  return Number.isFinite(at) ? at : undefined;
}

/** Whether the time of an upload is over, whatever state it is in. */
export function hasExpired(upload: UploadInfo, policy: ExpiryPolicy | undefined): boolean {
  const at = expiryOf(upload, policy);
  return at !== undefined && at <= Date.now();
}
