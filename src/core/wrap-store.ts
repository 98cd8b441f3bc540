import type { DataStore, StoreCapabilities, Upload } from './data-store.js';

/** What a wrapper changes in a store. */
export interface StoreChanges {
  /** Capabilities that differ: one that becomes false loses its methods, one that becomes true needs them from `upload`. */
  readonly capabilities?: Partial<StoreCapabilities>;
  /** Methods that take the place of the upload's own, for each upload that the store hands out. */
  readonly upload?: (upload: Upload) => Partial<Upload>;
}

/** The methods that stand behind each capability; the other capabilities have no method of their own. */
const optionalMethods = {
  termination: ['terminate'],
  reading: ['read'],
  concatenation: ['concat', 'noteAwaitedBy', 'awaitedBy'],
  provisionalChunks: ['commitChunk', 'discardChunk'],
  finishing: ['finish'],
} as const satisfies Partial<Record<keyof StoreCapabilities, readonly (keyof Upload)[]>>;

/**
 * A store that does as `store` does, save for what `changes` says: uploads that cannot be removed, downloads that
 * come from somewhere else, a limit, a measurement.
 */
export function wrapStore(store: DataStore, changes: StoreChanges): DataStore {
  const capabilities = { ...store.capabilities, ...changes.capabilities };
  const wrap = (upload: Upload): Upload => {
    const wrapped: Upload = { ...bound(upload), ...changes.upload?.(upload) };
    return withoutDisabled(wrapped, capabilities);
  };
  return {
    capabilities,
    newUpload: async (draft, options) => wrap(await store.newUpload(draft, options)),
    getUpload: async (id, options) => wrap(await store.getUpload(id, options)),
    list: (options) => store.list(options),
    ...(store.listWaiting &&
      capabilities.concatenation && { listWaiting: store.listWaiting.bind(store) }),
    ...(store.removeOrphan && { removeOrphan: store.removeOrphan.bind(store) }),
  };
}

/** `upload` as a plain object that can be spread: its methods keep their `this`. */
function bound(upload: Upload): Upload {
  return {
    id: upload.id,
    getInfo: (options) => upload.getInfo(options),
    update: (update, options) => upload.update(update, options),
    writeChunk: (offset, body, options) => upload.writeChunk(offset, body, options),
    ...(upload.commitChunk && { commitChunk: upload.commitChunk.bind(upload) }),
    ...(upload.discardChunk && { discardChunk: upload.discardChunk.bind(upload) }),
    ...(upload.finish && { finish: upload.finish.bind(upload) }),
    ...(upload.read && { read: upload.read.bind(upload) }),
    ...(upload.terminate && { terminate: upload.terminate.bind(upload) }),
    ...(upload.concat && { concat: upload.concat.bind(upload) }),
    ...(upload.noteAwaitedBy && { noteAwaitedBy: upload.noteAwaitedBy.bind(upload) }),
    ...(upload.awaitedBy && { awaitedBy: upload.awaitedBy.bind(upload) }),
  };
}

function withoutDisabled(upload: Upload, capabilities: StoreCapabilities): Upload {
  const result = { ...upload };
  for (const capability of [
    'termination',
    'reading',
    'concatenation',
    'provisionalChunks',
    'finishing',
  ] as const) {
    if (capabilities[capability]) continue;
    for (const method of optionalMethods[capability]) delete result[method];
  }
  return result;
}
