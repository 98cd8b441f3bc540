import type { WaitOptions } from '../core/data-store.js';
import { isTusError } from '../core/errors.js';
import type { UploadInfo } from '../core/upload.js';
import { eachOf } from './each-of.js';
import type { Environment } from './environment.js';

/** Uploads by their IDs; undefined for one that does not exist. */
export type FoundParts = ReadonlyMap<string, UploadInfo | undefined>;

/** Looks up the parts of a concatenation, each once, but for those that are `known`. */
export async function findParts(
  { store }: Environment,
  ids: Iterable<string>,
  options: WaitOptions,
  known: FoundParts = new Map(),
): Promise<FoundParts> {
  const found = new Map(known);
  const unknown = [...new Set(ids)].filter((id) => !found.has(id));
  await eachOf(unknown, async (id) => {
    try {
      found.set(id, await (await store.getUpload(id, options)).getInfo(options));
    } catch (error) {
      if (!isTusError(error, 'ERR_UPLOAD_NOT_FOUND')) throw error;
      found.set(id, undefined);
    }
  });
  return found;
}

/** Bytes of all parts together, a part counted as often as it is named; undefined while one's length is not known. */
export function totalSize(ids: readonly string[], found: FoundParts): number | undefined {
  let total = 0;
  for (const id of ids) {
    const size = found.get(id)?.size;
    if (size === undefined) return undefined;
    total += size;
  }
  return total;
}
