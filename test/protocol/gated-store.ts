import type { DataStore } from 'tuskd';
import { wrapStore } from 'tuskd';

export interface GatedStore {
  readonly store: (store: DataStore) => DataStore;
  /** How often a chunk has come to the gate. */
  readonly waiting: () => number;
  readonly open: () => void;
}

/** A store that takes no byte of any chunk until its gate is opened. */
export function gatedStore(): GatedStore {
  let waiting = 0;
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    store: (store) =>
      wrapStore(store, {
        upload: (upload) => ({
          writeChunk: async (offset, body, options) => {
            waiting += 1;
            await gate;
            return upload.writeChunk(offset, body, options);
          },
        }),
      }),
    waiting: () => waiting,
    open: () => open(),
  };
}
