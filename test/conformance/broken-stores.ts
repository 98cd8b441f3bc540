import type { DataStore, WriteOptions } from '../../dist/core/data-store.js';
import { wrapStore } from '../../dist/core/wrap-store.js';
import {
  bare,
  changed,
  find,
  onUploads,
  required,
  withLosses,
  withMetadata,
  withOwnChanges,
  withWrongBorder,
} from './breakages.js';

/** One mistake, made to a store that is right otherwise. */
export interface BrokenStore {
  readonly breakIt: (store: DataStore) => DataStore;
  /** Cases that have to notice it. */
  readonly noticedBy: readonly string[];
}

/** Every store here is one; what the suite has to notice is written beside it. */
export const brokenStores: Readonly<Record<string, BrokenStore>> = {
  'truncates an upload that exists': {
    breakIt: (store) => ({
      ...wrapStore(store, {}),
      async newUpload(draft) {
        if (draft.id !== undefined) await (await find(store, draft.id))?.terminate?.();
        return store.newUpload(draft);
      },
    }),
    noticedBy: ['creation > leaves an upload as it is when its ID is asked for again'],
  },

  'gives one ID to two': {
    breakIt: (store) => ({
      ...wrapStore(store, {}),
      newUpload: (draft) =>
        store.newUpload(draft).catch(async (error: unknown) => {
          if (draft.id === undefined) throw error;
          return store.getUpload(draft.id);
        }),
    }),
    noticedBy: [
      'creation > leaves an upload as it is when its ID is asked for again',
      'creation > gives an ID to one of two who ask for it at once',
    ],
  },

  'counts a byte that it did not store': {
    breakIt: onUploads((upload) => ({
      async writeChunk(offset, body, options) {
        const result = await upload.writeChunk(offset, body, options);
        const more = body.endReason === 'complete' ? 0 : 1;
        return { ...result, bytesWritten: result.bytesWritten + more };
      },
    })),
    noticedBy: [
      'interruption > keeps what came before a body was disconnected',
      'interruption > keeps what came when a silent body is stopped, and goes on from there',
      'interruption > ends soon when a write at 700 is aborted, and counts nothing too much',
      'interruption > keeps the bytes that fit when the store is full',
    ],
  },

  'loses a byte at a batch border, and doubles another': {
    breakIt: onUploads((upload) => ({
      writeChunk: (offset, body, options) =>
        upload.writeChunk(offset, withWrongBorder(body), options),
    })),
    noticedBy: [
      'offset arithmetic > stores many arrays of one byte',
      'offset arithmetic > stores batches of changing shape',
      'offset arithmetic > stores 8 MiB that come bit by bit',
    ],
  },

  'takes 1024 arrays of a batch': {
    breakIt: onUploads((upload) => ({
      writeChunk: (offset, body, options) =>
        upload.writeChunk(
          offset,
          changed(body, (batch) => batch.slice(0, 1024)),
          options,
        ),
    })),
    noticedBy: ['offset arithmetic > stores thousands of arrays that come at once'],
  },

  'forgets the order of metadata': {
    breakIt: withMetadata((metadata) => bare(Object.entries(metadata).reverse())),
    noticedBy: ['persistence > keeps metadata with an order of its own'],
  },

  'forgets empty metadata': {
    breakIt: withMetadata((metadata) =>
      bare(Object.entries(metadata).filter(([, value]) => value !== '')),
    ),
    noticedBy: ['persistence > keeps metadata with an empty value'],
  },

  'gives metadata a prototype': {
    breakIt: withMetadata((metadata) => ({ ...metadata })),
    noticedBy: ['persistence > keeps metadata with nothing'],
  },

  'throws instead of telling what was stored': {
    breakIt: onUploads((upload) => ({
      async writeChunk(offset, body, options) {
        const result = await upload.writeChunk(offset, body, options);
        if (result.error !== undefined) throw result.error;
        return result;
      },
    })),
    noticedBy: ['interruption > keeps the bytes that fit when the store is full'],
  },

  'loses what came before an interruption': {
    breakIt: onUploads((upload) => ({
      async writeChunk(offset, body, options) {
        const result = await upload.writeChunk(offset, body, { ...options, provisional: true });
        const whole = body.endReason === 'complete';
        await (whole ? upload.commitChunk?.() : upload.discardChunk?.());
        return whole ? result : { bytesWritten: 0 };
      },
    })),
    noticedBy: [
      'interruption > keeps what came before a body was interrupted',
      'interruption > keeps the 65537 bytes before a connection was lost',
    ],
  },

  'lets the offset go down after an abort': {
    breakIt: (store) => withLosses(store),
    noticedBy: [
      'interruption > ends soon when a write at 700 is aborted, and counts nothing too much',
      'a random sequence of requests > never takes a byte back (seed 1)',
    ],
  },

  'does not terminate': {
    breakIt: onUploads(() => ({ terminate: async () => undefined })),
    noticedBy: [
      'termination > removes an upload that is empty',
      'termination > removes an upload that is finished',
      'termination > removes an upload by the handle that made it',
      'termination > does nothing the second time',
      'termination > frees the ID folder/again',
    ],
  },

  'throws when there is nothing to terminate': {
    breakIt: onUploads((upload) => ({
      async terminate(options) {
        await upload.getInfo();
        await upload.terminate?.(options);
      },
    })),
    noticedBy: ['termination > does nothing the second time'],
  },

  'takes neighbours with it when it terminates': {
    breakIt: (store) =>
      wrapStore(store, {
        upload: (upload) => ({
          async terminate() {
            for await (const { id } of store.list()) {
              if (id.startsWith(upload.id)) await (await store.getUpload(id)).terminate?.();
            }
          },
        }),
      }),
    noticedBy: ['termination > leaves other uploads alone'],
  },

  'reads a byte too few': {
    breakIt: onUploads((upload) => ({
      read: ({ start, end }) => required(upload.read?.({ start, end: Math.max(start, end - 1) })),
    })),
    noticedBy: ['reading > gives the whole', 'reading > gives the last byte'],
  },

  'begins to read a byte too late': {
    breakIt: onUploads((upload) => ({
      read: ({ start, end }) => required(upload.read?.({ start: Math.min(start + 1, end), end })),
    })),
    noticedBy: [
      'reading > gives a range in the middle',
      'reading > gives ranges at random, many at once',
    ],
  },

  'keeps changes to itself': {
    breakIt: (store) => withOwnChanges(store),
    noticedBy: [
      'changes of the record > are seen by other instances, and change nothing else',
      'changes of the record > take expiresAt alone',
      'changes of the record > take a size, once there is one',
    ],
  },

  'changes one property after the other': {
    breakIt: onUploads((upload) => ({
      async update(changes, options) {
        for (const [key, value] of Object.entries(changes)) {
          await upload.update({ [key]: value }, options);
          await new Promise((resolve) => setImmediate(resolve));
        }
        return upload.getInfo();
      },
    })),
    noticedBy: ['changes of the record > are never seen by halves'],
  },

  'does not mind a lower fence': {
    breakIt: onUploads((upload) => {
      const allowed = async (options: WriteOptions = {}): Promise<WriteOptions> => {
        const { fence: highest = 0 } = await upload.getInfo();
        return (options.fence ?? 0) < highest ? { ...options, fence: undefined } : options;
      };
      return {
        update: async (changes, options) => upload.update(changes, await allowed(options)),
        writeChunk: async (offset, body, options) =>
          upload.writeChunk(offset, body, await allowed(options)),
        terminate: async (options) => upload.terminate?.(await allowed(options)),
      };
    }),
    noticedBy: [
      'fences > that are lower change no record',
      'fences > that are lower store nothing',
      'fences > that are lower remove nothing',
    ],
  },

  'looks at the fence only before a write': {
    breakIt: onUploads((upload) => ({
      async writeChunk(offset, body, options = {}) {
        if (options.fence !== undefined) await upload.update({}, { fence: options.fence });
        return upload.writeChunk(offset, body, { ...options, fence: undefined });
      },
    })),
    noticedBy: ['fences > that rise in the middle of a write end it'],
  },

  'joins parts in another order': {
    breakIt: onUploads((upload) => ({
      concat: async (parts, options) => upload.concat?.(parts.toReversed(), options),
    })),
    noticedBy: [
      'concatenation > makes a whole of two parts',
      'concatenation > takes the order of the list, and a part as often as it is named',
    ],
  },

  'joins a part once only': {
    breakIt: onUploads((upload) => ({
      concat: async (parts, options) =>
        upload.concat?.([...new Map(parts.map((part) => [part.id, part])).values()], options),
    })),
    noticedBy: ['concatenation > takes the order of the list, and a part as often as it is named'],
  },

  'commits what it should discard': {
    breakIt: onUploads((upload) => ({ discardChunk: async () => upload.commitChunk?.() })),
    noticedBy: [
      'provisional chunks > leave nothing when they are discarded',
      'provisional chunks > can be tried again after they were discarded',
    ],
  },

  'counts provisional chunks at once': {
    breakIt: onUploads((upload) => ({
      writeChunk: (offset, body, options) =>
        upload.writeChunk(offset, body, { ...options, provisional: false }),
    })),
    noticedBy: [
      'provisional chunks > count once they are committed',
      'provisional chunks > do not count where nobody said either',
    ],
  },

  'lists no nested uploads': {
    breakIt: (store) => ({
      ...wrapStore(store, {}),
      async *list() {
        for await (const item of store.list()) if (!item.id.includes('/')) yield item;
      },
    }),
    noticedBy: ['the list > has every upload once, whatever state it is in'],
  },

  'lists uploads twice': {
    breakIt: (store) => ({
      ...wrapStore(store, {}),
      async *list() {
        for await (const item of store.list()) yield* [item, item];
      },
    }),
    noticedBy: ['the list > has every upload once, whatever state it is in'],
  },

  'knows no difference between case and case': {
    breakIt: (store) => ({
      ...wrapStore(store, {}),
      newUpload: async (draft) => {
        const same = draft.id && (await find(store, draft.id.toLowerCase()));
        return (
          same || store.newUpload({ ...draft, ...(draft.id && { id: draft.id.toLowerCase() }) })
        );
      },
    }),
    noticedBy: ['hostile IDs > do no harm to each other: Upload and upload'],
  },

  'calls a missing upload an error of its own': {
    breakIt: (store) => ({
      ...wrapStore(store, {}),
      getUpload: (id) =>
        store.getUpload(id).catch((error: unknown) => {
          throw new Error('ENOENT', { cause: error });
        }),
    }),
    noticedBy: ['missing uploads > are not found: missing'],
  },

  'says more than it can do': {
    breakIt: (store) => ({
      ...wrapStore(store, { capabilities: { concatenation: false } }),
      capabilities: store.capabilities,
    }),
    noticedBy: ['capabilities > come with concat()'],
  },

  'does less than it was meant to': {
    breakIt: (store) => wrapStore(store, { capabilities: { termination: false } }),
    noticedBy: ['capabilities > are those that the suite was told'],
  },
};
