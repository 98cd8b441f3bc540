import { Readable } from 'node:stream';
import type { Body } from '../../core/body.js';
import type {
  ByteRange,
  ReadResult,
  Upload,
  WriteChunkOptions,
  WriteOptions,
  WriteResult,
} from '../../core/data-store.js';
import { TusError } from '../../core/errors.js';
import type { UploadChanges, UploadInfo } from '../../core/upload.js';
import type { ByteList } from './byte-list.js';
import type { MemoryRecord } from './memory-record.js';

/** What an upload needs of the store it lies in. */
export interface MemoryUploads {
  find(id: string): MemoryRecord;
  remove(id: string): void;
}

export class MemoryUpload implements Upload {
  readonly id: string;
  readonly #record: MemoryRecord;
  readonly #uploads: MemoryUploads;

  constructor(id: string, record: MemoryRecord, uploads: MemoryUploads) {
    this.id = id;
    this.#record = record;
    this.#uploads = uploads;
  }

  async getInfo(): Promise<UploadInfo> {
    return this.#record.info;
  }

  async update(changes: UploadChanges, options: WriteOptions = {}): Promise<UploadInfo> {
    this.#record.enter(options.fence);
    this.#record.assertFence(changes.fence);
    this.#record.change(changes);
    return this.#record.info;
  }

  async writeChunk(
    offset: number,
    body: Body,
    { signal, fence, provisional = false }: WriteChunkOptions = {},
  ): Promise<WriteResult> {
    const record = this.#record;
    record.enter(fence);
    assertOffset(offset, record.bytes);
    const target = record.beginChunk(provisional);
    let bytesWritten = 0;
    try {
      for (;;) {
        const arrays = await body.next();
        signal?.throwIfAborted();
        // While this waited, the upload may have been terminated, or the lock lost to somebody else.
        record.assertFence(fence);
        if (arrays === null) return { bytesWritten };
        for (const array of arrays) {
          const stored = record.store(array, target);
          bytesWritten += stored;
          if (stored < array.byteLength) throw new TusError('ERR_STORAGE_FULL');
        }
      }
    } catch (error) {
      return { bytesWritten, error };
    }
  }

  async commitChunk(options: WriteOptions = {}): Promise<void> {
    this.#record.enter(options.fence);
    this.#record.commit();
  }

  async discardChunk(options: WriteOptions = {}): Promise<void> {
    this.#record.enter(options.fence);
    this.#record.discard();
  }

  async read({ start, end }: ByteRange): Promise<ReadResult> {
    this.#record.assertPresent();
    const { bytes } = this.#record;
    if (start < 0 || start > end || end > bytes.byteLength) {
      throw new RangeError(`bytes ${start} to ${end} of ${bytes.byteLength}`);
    }
    return { stream: Readable.from(bytes.slices({ start, end }), { objectMode: false }) };
  }

  async terminate(options: WriteOptions = {}): Promise<void> {
    if (this.#record.terminated) return;
    this.#record.enter(options.fence);
    this.#record.terminate();
    this.#uploads.remove(this.id);
  }

  async concat(parts: readonly UploadInfo[], options: WriteOptions = {}): Promise<void> {
    const record = this.#record;
    record.enter(options.fence);
    const size = parts.reduce((sum, part) => sum + part.offset, 0);
    // A second run: the parts may have gone since the first.
    if (record.bytes.byteLength === size) return;
    assertOffset(0, record.bytes);
    record.fill(parts.map((part) => this.#uploads.find(part.id).bytes));
  }

  async noteAwaitedBy(finalId: string): Promise<void> {
    this.#record.assertPresent();
    this.#record.awaitedBy.add(finalId);
  }

  async awaitedBy(): Promise<readonly string[]> {
    return [...this.#record.awaitedBy];
  }
}

function assertOffset(offset: number, bytes: ByteList): void {
  if (offset !== bytes.byteLength) {
    throw new Error(`a chunk for offset ${offset} of an upload at ${bytes.byteLength}`);
  }
}
