import { isTusError } from '../core/errors.js';
import type { StoredItem, Upload } from '../core/data-store.js';
import type { UploadInfo } from '../core/upload.js';
import { backgroundContext, type WorkContext } from './background.js';
import { waitOf } from './complete-final.js';
import type { Environment } from './environment.js';
import { hasExpired } from './expiry.js';
import { isAwaited } from './remove-parts.js';
import { publish } from './run-hooks.js';
import { uploadState } from './state.js';
import { withLock } from './with-lock.js';

/** What to sweep, and how. */
export interface SweepOptions {
  /** Only tell what would be removed; nothing by default. */
  readonly dryRun?: boolean;
  /**
   * How old something must be that a crash left behind, in milliseconds: younger, it may be an upload in the making. An
   * hour by default.
   */
  readonly orphanAgeMs?: number;
  /**
   * Uploads that were written to within so long count as in use, in milliseconds; 0 by default. For a locker that cannot
   * know of the processes that serve the store.
   */
  readonly quietMs?: number;
  /** Ends the sweep early. */
  readonly signal?: AbortSignal;
  /** Called for everything that is removed, or would be. */
  readonly onItem?: (item: SweptItem) => void;
}

/** Something that a sweep removed, or would remove, or could not. */
export interface SweptItem {
  readonly id: string;
  /** `expired` and `in-use` are uploads; an `orphan` is what a crash left behind. */
  readonly kind: 'expired' | 'orphan' | 'in-use' | 'failed';
  /** Bytes that were stored of it, where that is known. */
  readonly bytes?: number;
  /** Why it failed. */
  readonly error?: unknown;
}

/** What a sweep came to. */
export interface SweepReport {
  /** Uploads and orphans that were looked at. */
  readonly seen: number;
  /** Expired uploads that were removed, or would be, and their bytes. */
  readonly expired: number;
  readonly expiredBytes: number;
  /** What crashes had left behind, and was or would be removed. */
  readonly orphans: number;
  /** Locks of dead holders, likewise. */
  readonly locks: number;
  /** Expired uploads that somebody is using: they stay until the next sweep. */
  readonly inUse: number;
  /** What could not be looked at or removed. The others were. */
  readonly failed: number;
}

const defaultOrphanAgeMs = 3_600_000;

/**
 * Removes expired uploads, and what crashes have left behind. Never a finished upload (but for parts that are not kept
 * anyway), one that somebody is using, or anything that the store did not make. Looks at one thing at a time, so a million
 * uploads need no more memory than one, and requests come in between. Several servers may sweep the same store.
 */
export async function sweepUploads(
  env: Environment,
  options: SweepOptions = {},
): Promise<SweepReport> {
  const { signal = new AbortController().signal, dryRun = false } = options;
  // First: an expired upload whose writer was killed would look like one in use.
  const locks = (await env.locker.sweep?.({ signal, dryRun })) ?? 0;
  const counts = { expired: 0, orphan: 0, 'in-use': 0, failed: 0 };
  let seen = 0;
  let expiredBytes = 0;
  for await (const item of env.store.list({ signal })) {
    signal.throwIfAborted();
    seen += 1;
    const swept = await sweepItem(env, item, { ...options, signal, dryRun });
    if (swept === undefined) continue;
    counts[swept.kind] += 1;
    if (swept.kind === 'expired') expiredBytes += swept.bytes ?? 0;
    if (swept.kind === 'failed') {
      env.logger.log('error', 'SweepError', { id: item.id, error: swept.error });
    }
    options.onItem?.(swept);
  }
  return {
    seen,
    expired: counts.expired,
    expiredBytes,
    orphans: counts.orphan,
    locks,
    inUse: counts['in-use'],
    failed: counts.failed,
  };
}

type Means = SweepOptions & { readonly signal: AbortSignal; readonly dryRun: boolean };

/** Undefined for what is to stay. A failure is that of one item: the others are swept all the same. */
async function sweepItem(
  env: Environment,
  item: StoredItem,
  means: Means,
): Promise<SweptItem | undefined> {
  try {
    return item.kind === 'upload'
      ? await sweepUpload(env, item, means)
      : await sweepOrphan(env, item, means);
  } catch (error) {
    means.signal.throwIfAborted();
    // Somebody else has removed it meanwhile.
    if (isTusError(error, 'ERR_UPLOAD_NOT_FOUND')) return undefined;
    return { id: item.id, kind: 'failed', error };
  }
}

/**
 * Whether nobody is to have it any more: it has expired, waits for a part that has gone, or was a part for nothing. A final
 * upload that waits for nothing and is not complete was left by a server that died in the middle of its POST: its client
 * was never told of it, and it expires as any upload does.
 */
async function isDone(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  context: WorkContext,
): Promise<boolean> {
  const state = uploadState(env, upload);
  if (state === 'concatenating') {
    const wait = await waitOf(env, upload, context);
    if (typeof wait === 'string') return wait === 'in-vain';
    // For as long as it waited, nothing could be done with it.
    const modifiedAt = Math.max(upload.modifiedAt, wait.readySince);
    return hasExpired({ ...upload, isFinal: false, createdAt: undefined, modifiedAt }, env.expiry);
  }
  if (state === 'finished') return isAbandonedPart(env, handle, upload, context);
  return state === 'expired';
}

/**
 * Where parts are removed once they are used, those are, too, that were not used in time. Everywhere else they are finished
 * uploads like any other.
 */
async function isAbandonedPart(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  context: WorkContext,
): Promise<boolean> {
  if (!env.removeParts || !upload.isPartial) return false;
  return hasExpired(upload, env.expiry) && !(await isAwaited(env, handle, undefined, context));
}

async function sweepUpload(
  env: Environment,
  { id, modifiedAt }: StoredItem,
  means: Means,
): Promise<SweptItem | undefined> {
  const context = backgroundContext(means.signal);
  const found = await env.store.getUpload(id, means);
  const upload = await found.getInfo();
  if (!(await isDone(env, found, upload, context))) return undefined;
  // Never asks anybody to let go.
  if (Date.now() - modifiedAt < (means.quietMs ?? 0) || (await env.locker.isLocked(id))) {
    return { id, kind: 'in-use' };
  }
  const swept: SweptItem = { id, kind: 'expired', bytes: upload.offset };
  if (means.dryRun) return swept;
  return withLock(env, id, context, async ({ fence }) => {
    // Another server may have been faster, or a request that came just in time.
    const handle = await env.store.getUpload(id, means);
    const current = await handle.getInfo();
    if (!handle.terminate || !(await isDone(env, handle, current, context))) return undefined;
    await handle.terminate({ signal: means.signal, fence });
    env.logger.log('info', 'UploadExpired', { id, offset: current.offset, size: current.size });
    await publish(env, 'post-terminate', current, context);
    return swept;
  });
}

async function sweepOrphan(
  env: Environment,
  { id, modifiedAt }: StoredItem,
  means: Means,
): Promise<SweptItem | undefined> {
  const { store } = env;
  const { orphanAgeMs = defaultOrphanAgeMs, dryRun, signal } = means;
  if (!store.removeOrphan || Date.now() - modifiedAt < orphanAgeMs) return undefined;
  if (await env.locker.isLocked(id)) return undefined;
  const swept: SweptItem = { id, kind: 'orphan' };
  if (dryRun) return swept;
  return withLock(env, id, backgroundContext(signal), async ({ fence }) => {
    await store.removeOrphan?.(id, { signal, fence });
    env.logger.log('info', 'OrphanRemoved', { id });
    return swept;
  });
}
