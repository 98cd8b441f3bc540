import type { DataStore, StoreCapabilities, Upload, WaitOptions } from './data-store.js';
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
  const { id } = upload;
  const methods: Partial<Upload> = {};
  const termination = replaced.get('termination');
  if (termination) {
    methods.terminate = async (options) =>
      (await uploadWith(termination, id, 'terminate', options)).terminate(options);
  }
  const reading = replaced.get('reading');
  if (reading) {
    methods.read = async (range, options) =>
      (await uploadWith(reading, id, 'read', options)).read(range, options);
  }
  const concatenation = replaced.get('concatenation');
  if (concatenation) {
    methods.concat = async (parts, options) =>
      (await uploadWith(concatenation, id, 'concat', options)).concat(parts, options);
    methods.noteAwaitedBy = async (finalId, options) =>
      (await uploadWith(concatenation, id, 'noteAwaitedBy', options)).noteAwaitedBy(
        finalId,
        options,
      );
    methods.awaitedBy = async (options) =>
      (await uploadWith(concatenation, id, 'awaitedBy', options)).awaitedBy(options);
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

type UploadWith<Method extends keyof Upload> = Upload & Required<Pick<Upload, Method>>;

/** @throws TypeError where the store promised more than it keeps */
async function uploadWith<Method extends keyof Upload>(
  store: DataStore,
  id: string,
  method: Method,
  options: WaitOptions | undefined,
): Promise<UploadWith<Method>> {
  const found = await store.getUpload(id, options);
  if (has(found, method)) return found;
  throw new TypeError(`A store announces ${method}() but its upload has none`);
}

function has<Method extends keyof Upload>(
  upload: Upload,
  method: Method,
): upload is UploadWith<Method> {
  return upload[method] !== undefined;
}
