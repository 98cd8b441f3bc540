import type { DataStore, StoreCapabilities, Upload } from './data-store.js';
import type { Locker } from './locker.js';
import { wrapStore } from './wrap-store.js';

/** A store and a locker that belong together: all that a handler needs. */
export interface Backend {
  readonly store: DataStore;
  readonly locker: Locker;
}

/**
 * The pieces of a backend. `core` keeps the uploads; every other piece is the store whose ability is used in place of
 * core's own, looked up there under the same ID, or `false` to go without.
 */
export interface Pieces {
  readonly core: DataStore;
  readonly termination?: DataStore | false;
  readonly reading?: DataStore | false;
  readonly concatenation?: DataStore | false;
  readonly declaredLength?: DataStore | false;
  readonly locker: Locker;
}

/**
 * Puts pieces together into one backend.
 *
 * @throws TypeError where a piece lacks the ability that it was named for.
 */
export function compose({ core, locker, ...pieces }: Pieces): Backend {
  const replaced = new Map<Ability, DataStore>();
  const capabilities: Partial<Record<Ability, boolean>> = {};
  for (const ability of abilities) {
    const piece = pieces[ability] ?? core;
    if (piece === core) continue;
    if (piece === false) {
      capabilities[ability] = false;
    } else if (piece.capabilities[ability]) {
      capabilities[ability] = true;
      replaced.set(ability, piece);
    } else {
      throw new TypeError(`The store given for ${ability} is not capable of it`);
    }
  }
  if (Object.keys(capabilities).length === 0) return { store: core, locker };
  const store = wrapStore(core, {
    capabilities,
    upload: (upload) => replaceAbilities(upload, core, replaced),
  });
  const notes = replaced.get('concatenation');
  return {
    locker,
    store: notes?.listWaiting ? { ...store, listWaiting: notes.listWaiting.bind(notes) } : store,
  };
}

const abilities = [
  'termination',
  'reading',
  'concatenation',
  'declaredLength',
] as const satisfies readonly (keyof StoreCapabilities)[];
type Ability = (typeof abilities)[number];

function replaceAbilities(
  upload: Upload,
  core: DataStore,
  replaced: ReadonlyMap<Ability, DataStore>,
): Partial<Upload> {
  const methods: Partial<Upload> = {};
  const termination = replaced.get('termination');
  if (termination) {
    methods.terminate = async (options) => {
      const found = await termination.getUpload(upload.id, options);
      if (!found.terminate) throw missing('terminate');
      await found.terminate(options);
    };
  }
  const reading = replaced.get('reading');
  if (reading) {
    methods.read = async (range, options) => {
      const found = await reading.getUpload(upload.id, options);
      if (!found.read) throw missing('read');
      return found.read(range, options);
    };
  }
  const concatenation = replaced.get('concatenation');
  if (concatenation) {
    methods.concat = async (parts, options) => {
      const found = await concatenation.getUpload(upload.id, options);
      if (!found.concat) throw missing('concat');
      await found.concat(parts, options);
    };
    methods.noteAwaitedBy = async (finalId, options) => {
      const found = await concatenation.getUpload(upload.id, options);
      if (!found.noteAwaitedBy) throw missing('noteAwaitedBy');
      await found.noteAwaitedBy(finalId, options);
    };
    methods.awaitedBy = async (options) => {
      const found = await concatenation.getUpload(upload.id, options);
      if (!found.awaitedBy) throw missing('awaitedBy');
      return found.awaitedBy(options);
    };
  }
  const declaredLength = replaced.get('declaredLength');
  return declaredLength
    ? { ...methods, ...declareElsewhere(upload, core, declaredLength) }
    : methods;
}

/** The handle remembers what it read: after another store changed the record, core's handle is fetched anew. */
function declareElsewhere(
  upload: Upload,
  core: DataStore,
  declaredLength: DataStore,
): Partial<Upload> {
  let current = upload;
  return {
    getInfo: (options) => current.getInfo(options),
    writeChunk: (offset, body, options) => current.writeChunk(offset, body, options),
    ...(upload.commitChunk && { commitChunk: async (options) => current.commitChunk?.(options) }),
    ...(upload.discardChunk && {
      discardChunk: async (options) => current.discardChunk?.(options),
    }),
    update: async (changes, options) => {
      if (changes.size === undefined) return current.update(changes, options);
      const info = await (
        await declaredLength.getUpload(upload.id, options)
      ).update(changes, options);
      current = await core.getUpload(upload.id, options);
      return info;
    },
  };
}

function missing(method: keyof Upload): TypeError {
  return new TypeError(`A store announces ${method}() but its upload has none`);
}
