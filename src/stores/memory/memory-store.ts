import type { DataStore, StoreCapabilities, StoredItem, Upload } from '../../core/data-store.js';
import { TusError } from '../../core/errors.js';
import type { UploadDraft } from '../../core/upload.js';
import { newUploadId } from '../../core/upload-id.js';
import { MemoryRecord } from './memory-record.js';
import { MemorySpace } from './memory-space.js';
import { MemoryUpload } from './memory-upload.js';

/** How much a store in memory may hold. */
export interface MemoryStoreOptions {
  /** Bytes that all uploads together may take; more ends in `ERR_STORAGE_FULL`. Default: no bound. */
  readonly maxBytes?: number;
}

/**
 * Keeps uploads in the memory of this process, where they end with it: for tests, and for uploads that are
 * taken away as soon as they are finished. Does not copy the bytes it receives.
 */
export class MemoryStore implements DataStore {
  readonly capabilities: StoreCapabilities = {
    termination: true,
    reading: true,
    concatenation: true,
    declaredLength: true,
    provisionalChunks: true,
    finishing: false,
    fences: true,
    chosenIds: true,
  };
  readonly #records = new Map<string, MemoryRecord>();
  readonly #space: MemorySpace;
  readonly #uploads = {
    find: (id: string): MemoryRecord => this.#find(id),
    remove: (id: string): void => void this.#records.delete(id),
  };

  constructor(options: MemoryStoreOptions = {}) {
    this.#space = new MemorySpace(options.maxBytes ?? Infinity);
  }

  async newUpload(draft: UploadDraft): Promise<Upload> {
    const id = draft.id ?? newUploadId();
    if (this.#records.has(id)) throw new TusError('ERR_UPLOAD_EXISTS');
    // Without a prototype a key such as `__proto__` is one like any other.
    const metadata: Record<string, string> = Object.create(null);
    Object.assign(metadata, draft.metadata);
    const storage = { ...draft.storage, Type: 'memorystore' };
    const record = new MemoryRecord({ ...draft, id, metadata, storage }, this.#space);
    this.#records.set(id, record);
    return new MemoryUpload(id, record, this.#uploads);
  }

  async getUpload(id: string): Promise<Upload> {
    return new MemoryUpload(id, this.#find(id), this.#uploads);
  }

  async *list(): AsyncGenerator<StoredItem> {
    for (const [id, { modifiedAt }] of this.#records) yield { id, kind: 'upload', modifiedAt };
  }

  async *listWaiting(): AsyncGenerator<string> {
    for (const { awaitedBy } of this.#records.values()) yield* awaitedBy;
  }

  #find(id: string): MemoryRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new TusError('ERR_UPLOAD_NOT_FOUND');
    return record;
  }
}
