import type { Body } from '../../dist/core/body.js';
import type { DataStore, Upload } from '../../dist/core/data-store.js';
import { isTusError } from '../../dist/core/errors.js';
import type { Metadata, UploadChanges } from '../../dist/core/upload.js';
import { wrapStore } from '../../dist/core/wrap-store.js';

export const onUploads =
  (methods: (upload: Upload) => Partial<Upload>) =>
  (store: DataStore): DataStore =>
    wrapStore(store, { upload: methods });

export const withMetadata = (change: (metadata: Metadata) => Metadata) =>
  onUploads((upload) => ({
    getInfo: async () => {
      const info = await upload.getInfo();
      return { ...info, metadata: change(info.metadata) };
    },
  }));

export const bare = (entries: [string, string][]): Metadata =>
  Object.assign(Object.create(null), Object.fromEntries(entries));

export async function find(store: DataStore, id: string): Promise<Upload | undefined> {
  try {
    return await store.getUpload(id);
  } catch (error) {
    if (isTusError(error, 'ERR_UPLOAD_NOT_FOUND')) return undefined;
    throw error;
  }
}

export function required<T>(result: Promise<T> | undefined): Promise<T> {
  if (result === undefined) throw new Error('the method is missing');
  return result;
}

export function changed(body: Body, change: (batch: Uint8Array[]) => Uint8Array[]): Body {
  return {
    stop: (reason) => body.stop(reason),
    get endReason() {
      return body.endReason;
    },
    async next() {
      const batch = await body.next();
      return batch && change(batch);
    },
  };
}

/** Where a batch follows another, its first byte is taken for the last one of that. */
export function withWrongBorder(body: Body): Body {
  let last: Uint8Array | undefined;
  return changed(body, (batch) => {
    const bytes = Buffer.concat(batch);
    const wrong = last === undefined ? bytes : Buffer.concat([last, bytes.subarray(1)]);
    last = bytes.subarray(-1);
    return [wrong];
  });
}

const lostIn = new WeakMap<DataStore, Set<string>>();

/** After an aborted write the upload has fewer bytes than before it, whichever instance is asked. */
export function withLosses(store: DataStore): DataStore {
  const lost = lostIn.get(store) ?? new Set<string>();
  lostIn.set(store, lost);
  return wrapStore(store, {
    upload: (upload) => ({
      async writeChunk(offset, body, options) {
        const result = await upload.writeChunk(offset, body, options);
        if (options?.signal?.aborted) lost.add(upload.id);
        return result;
      },
      async getInfo() {
        const info = await upload.getInfo();
        return lost.has(upload.id) ? { ...info, offset: Math.max(0, info.offset - 200_000) } : info;
      },
    }),
  });
}

export function withOwnChanges(store: DataStore): DataStore {
  return wrapStore(store, {
    upload: (upload) => {
      let own: UploadChanges = {};
      const getInfo: Upload['getInfo'] = async () => ({ ...(await upload.getInfo()), ...own });
      return {
        getInfo,
        async update(changes) {
          own = { ...own, ...changes };
          return getInfo();
        },
      };
    },
  });
}
