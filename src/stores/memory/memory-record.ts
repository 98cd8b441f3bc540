import { TusError } from '../../core/errors.js';
import type { UploadChanges, UploadInfo } from '../../core/upload.js';
import { ByteList } from './byte-list.js';
import type { MemorySpace } from './memory-space.js';

/** Everything but what changes with every byte. */
type RecordInfo = Omit<UploadInfo, 'offset' | 'modifiedAt'>;

/** What all handles of one upload share. */
export class MemoryRecord {
  readonly bytes = new ByteList();
  /** IDs of the final uploads that wait for this part. */
  readonly awaitedBy = new Set<string>();
  readonly #space: MemorySpace;
  #info: RecordInfo;
  #modifiedAt = Date.now();
  #provisional: ByteList | undefined;
  /** Where the last chunk that counts at once begins. */
  #chunkStart = 0;
  #terminated = false;

  constructor(info: RecordInfo, space: MemorySpace) {
    this.#info = info;
    this.#space = space;
  }

  get info(): UploadInfo {
    this.assertPresent();
    return { ...this.#info, offset: this.bytes.byteLength, modifiedAt: this.#modifiedAt };
  }

  get modifiedAt(): number {
    return this.#modifiedAt;
  }

  get terminated(): boolean {
    return this.#terminated;
  }

  assertPresent(): void {
    if (this.#terminated) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  }

  /** Refuses a writer that a later holder of the lock has overtaken. Also asked in the middle of a write. */
  assertFence(fence: number | undefined): void {
    this.assertPresent();
    if (fence !== undefined && fence < (this.#info.fence ?? fence)) {
      throw new TusError('ERR_LOCK_LOST');
    }
  }

  /** Lets a writer in, and from now on none with a lower fence. */
  enter(fence: number | undefined): void {
    this.assertFence(fence);
    if (fence !== undefined) this.#info = { ...this.#info, fence };
  }

  change(changes: UploadChanges): void {
    this.#info = { ...this.#info, ...changes };
    this.#modifiedAt = Date.now();
  }

  /** Where a chunk's bytes go. Whatever was provisional before is forgotten. */
  beginChunk(provisional: boolean): ByteList {
    this.#forgetProvisional();
    this.#chunkStart = this.bytes.byteLength;
    if (!provisional) return this.bytes;
    this.#provisional = new ByteList();
    return this.#provisional;
  }

  /** Stores as much of `array` in `target` as there is room for, and returns how much that was. */
  store(array: Uint8Array, target: ByteList): number {
    const granted = this.#space.take(array.byteLength);
    target.push(array.subarray(0, granted));
    this.#modifiedAt = Date.now();
    return granted;
  }

  commit(): void {
    if (this.#provisional === undefined) return;
    this.bytes.append(this.#provisional);
    this.#provisional = undefined;
    this.#chunkStart = this.bytes.byteLength;
    this.#modifiedAt = Date.now();
  }

  /** Forgets the last chunk, unless it was committed. */
  discard(): void {
    this.#forgetProvisional();
    this.#space.give(this.bytes.byteLength - this.#chunkStart);
    this.bytes.truncate(this.#chunkStart);
  }

  #forgetProvisional(): void {
    this.#space.give(this.#provisional?.byteLength ?? 0);
    this.#provisional = undefined;
  }

  /** Takes the bytes of `sources`, wholly or, where there is no room, not at all. */
  fill(sources: readonly ByteList[]): void {
    const size = sources.reduce((sum, source) => sum + source.byteLength, 0);
    const granted = this.#space.take(size);
    if (granted < size) {
      this.#space.give(granted);
      throw new TusError('ERR_STORAGE_FULL');
    }
    for (const source of sources) this.bytes.append(source);
    this.#chunkStart = this.bytes.byteLength;
    this.#modifiedAt = Date.now();
  }

  terminate(): void {
    this.#forgetProvisional();
    this.#space.give(this.bytes.byteLength);
    this.#terminated = true;
  }
}
