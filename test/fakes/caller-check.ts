import type { PartBucket } from './part-bucket.js';

interface Change {
  readonly fence: number | undefined;
}

const running = new WeakMap<PartBucket, Map<string, Change>>();

/**
 * Runs `change` of an upload, and throws where the caller breaks the rule that only one runs at a time. A change with
 * a higher fence may begin while an older one still runs: that one's lock was lost.
 */
export async function exclusively<T>(
  bucket: PartBucket,
  id: string,
  fence: number | undefined,
  change: () => Promise<T>,
): Promise<T> {
  const changes = running.get(bucket) ?? new Map<string, Change>();
  running.set(bucket, changes);
  const other = changes.get(id);
  if (
    other !== undefined &&
    (fence === undefined || other.fence === undefined || fence === other.fence)
  ) {
    throw new Error(`two changes of upload ${id} at once`);
  }
  const mine = { fence };
  changes.set(id, mine);
  try {
    return await change();
  } finally {
    if (changes.get(id) === mine) changes.delete(id);
  }
}
