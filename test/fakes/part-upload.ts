import { Readable } from 'node:stream';
import type { Body } from '../../dist/core/body.js';
import type {
  ByteRange,
  ReadResult,
  Upload,
  WriteChunkOptions,
  WriteOptions,
  WriteResult,
} from '../../dist/core/data-store.js';
import { TusError } from '../../dist/core/errors.js';
import type { UploadChanges, UploadInfo } from '../../dist/core/upload.js';
import { exclusively } from './caller-check.js';
import { BucketError, type PartBucket } from './part-bucket.js';
import {
  awaitedKey,
  infoKey,
  loadRecord,
  type PartRecord,
  saveRecord,
  splitId,
  survey,
  type Survey,
  tailKey,
} from './part-record.js';
import { PartWriter } from './part-writer.js';

export class PartUpload implements Upload {
  readonly id: string;
  readonly #bucket: PartBucket;
  readonly #object: string;
  readonly #multipart: string;
  #terminated = false;

  constructor(bucket: PartBucket, id: string) {
    this.id = id;
    this.#bucket = bucket;
    ({ object: this.#object, multipart: this.#multipart } = splitId(id));
  }

  async getInfo(): Promise<UploadInfo> {
    const record = await loadRecord(this.#bucket, this.id);
    const { offset, modifiedAt } = await survey(this.#bucket, record);
    const { multipart: _, skipped: __, ...info } = record;
    return { ...info, offset, modifiedAt };
  }

  async update(changes: UploadChanges, { fence }: WriteOptions = {}): Promise<UploadInfo> {
    return this.#change(fence, async (record) => {
      if (changes.size !== undefined && changes.size !== (record.size ?? changes.size)) {
        throw new Error(`a size of ${changes.size} for an upload of ${record.size}`);
      }
      assertFence(record, changes.fence);
      await saveRecord(this.#bucket, { ...record, ...changes });
      return this.getInfo();
    });
  }

  async writeChunk(
    offset: number,
    body: Body,
    options: WriteChunkOptions = {},
  ): Promise<WriteResult> {
    if (options.provisional) throw new Error('a provisional chunk, without the capability');
    const next = async (): Promise<Uint8Array[] | null> => {
      const batch = await body.next();
      options.signal?.throwIfAborted();
      return batch;
    };
    return this.#change(options.fence, async (record) => {
      const before = await survey(this.#bucket, record);
      if (before.offset !== offset) throw new Error(`a chunk for ${offset} at ${before.offset}`);
      if (before.finished) {
        if ((await next()) !== null) throw new Error('bytes for a finished upload');
        return { bytesWritten: 0 };
      }
      return this.#store(record, before, next, options);
    });
  }

  async finish(): Promise<void> {
    await this.#change(undefined, async (record) => {
      const found = await survey(this.#bucket, record);
      if (found.offset !== record.size) throw new Error('finish() before the last byte');
      if (!found.finished) await this.#complete(record, found);
      await this.#bucket.deleteObject(tailKey(this.#object));
    });
  }

  async read({ start, end }: ByteRange): Promise<ReadResult> {
    this.#assertUsable();
    const record = await loadRecord(this.#bucket, this.id);
    const { offset, finished } = await survey(this.#bucket, record);
    if (start < 0 || start > end || end > offset) throw new Error(`bytes ${start} to ${end}`);
    // As in S3: nothing reads the parts of a multipart upload.
    const object = finished ? await this.#bucket.getObject(this.#object) : undefined;
    if (object === undefined) throw new TusError('ERR_INCOMPLETE_UPLOAD');
    const range = object.bytes.subarray(start, end);
    return { stream: Readable.from(range.byteLength > 0 ? [range] : [], { objectMode: false }) };
  }

  async concat(parts: readonly UploadInfo[], options: WriteOptions = {}): Promise<void> {
    await this.#change(options.fence, async (record) => {
      const before = await survey(this.#bucket, record);
      const size = parts.reduce((sum, part) => sum + part.offset, 0);
      if (before.offset === size) return;
      const arrays: Uint8Array[] = [];
      for (const part of parts) {
        const object = await this.#bucket.getObject(splitId(part.id).object);
        if (object === undefined) throw new Error(`part ${part.id} is not finished`);
        arrays.push(object.bytes);
      }
      // What an earlier attempt has done need not be done again.
      const batches = [[Buffer.concat(arrays).subarray(before.offset)]];
      const { error } = await this.#store(
        record,
        before,
        async () => batches.pop() ?? null,
        options,
      );
      if (error !== undefined) throw error;
    });
  }

  /** The record goes last: until then it can be tried again. */
  async noteAwaitedBy(finalId: string): Promise<void> {
    await this.#bucket.putObject(awaitedKey(this.id, finalId), new Uint8Array(0));
  }

  async awaitedBy(): Promise<readonly string[]> {
    const prefix = awaitedKey(this.id, '');
    const keys = await this.#bucket.listKeys();
    return keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  }

  async terminate({ fence }: WriteOptions = {}): Promise<void> {
    if (this.#terminated) return;
    await exclusively(this.#bucket, this.id, fence, async () => {
      const record = await this.#find();
      if (record !== undefined) {
        assertFence(record, fence);
        await this.#abortMultipart();
        for (const key of [this.#object, tailKey(this.#object), infoKey(this.#object)]) {
          await this.#bucket.deleteObject(key);
        }
        for (const finalId of await this.awaitedBy()) {
          await this.#bucket.deleteObject(awaitedKey(this.id, finalId));
        }
      }
      this.#terminated = true;
    });
  }

  async #store(
    record: PartRecord,
    before: Survey,
    next: () => Promise<Uint8Array[] | null>,
    { signal, fence }: WriteOptions,
  ): Promise<WriteResult> {
    const writer = new PartWriter({
      bucket: this.#bucket,
      object: this.#object,
      multipart: this.#multipart,
      partBytes: before.partBytes,
      nextNumber: await this.#nextNumber(record, before),
      tail: before.tail,
      signal,
      assertAllowed: async () => assertFence(await loadRecord(this.#bucket, this.id), fence),
    });
    try {
      for (let batch = await next(); batch !== null; batch = await next()) {
        await writer.write(batch);
      }
      await writer.end();
      return { bytesWritten: writer.offset - before.offset };
    } catch (error) {
      await writer.settle();
      return { bytesWritten: writer.offset - before.offset, error };
    }
  }

  async #complete(record: PartRecord, { parts, ...found }: Survey): Promise<void> {
    const numbers = parts.map(({ number }) => number);
    // An object needs a part, even if it is empty.
    if (found.tail.byteLength > 0 || numbers.length === 0) {
      const number = await this.#nextNumber(record, { parts, ...found });
      await this.#bucket.uploadPart(this.#multipart, number, found.tail);
      numbers.push(number);
    }
    await this.#bucket.completeMultipart(this.#multipart, numbers);
  }

  /** Parts behind a gap are put out of account, and that is remembered, before another part is uploaded. */
  async #nextNumber(record: PartRecord, { parts, lost }: Survey): Promise<number> {
    const skipped = [...record.skipped, ...lost];
    if (lost.length > 0) await saveRecord(this.#bucket, { ...record, skipped });
    return Math.max(0, ...skipped, ...parts.map(({ number }) => number)) + 1;
  }

  /** Under the rules of a change: the upload is there, nobody else changes it, the fence has not been overtaken. */
  async #change<T>(
    fence: number | undefined,
    work: (record: PartRecord) => Promise<T>,
  ): Promise<T> {
    this.#assertUsable();
    return exclusively(this.#bucket, this.id, fence, async () => {
      const record = await loadRecord(this.#bucket, this.id);
      assertFence(record, fence);
      if (fence === undefined || fence === record.fence) return work(record);
      const fenced = { ...record, fence };
      await saveRecord(this.#bucket, fenced);
      return work(fenced);
    });
  }

  #assertUsable(): void {
    if (this.#terminated) throw new Error('a handle is used after terminate()');
  }

  async #find(): Promise<PartRecord | undefined> {
    try {
      return await loadRecord(this.#bucket, this.id);
    } catch (error) {
      if (error instanceof TusError) return undefined;
      throw error;
    }
  }

  async #abortMultipart(): Promise<void> {
    try {
      await this.#bucket.abortMultipart(this.#multipart);
    } catch (error) {
      if (!(error instanceof BucketError && error.code === 'NoSuchUpload')) throw error;
    }
  }
}

function assertFence(record: PartRecord, fence: number | undefined): void {
  if (fence !== undefined && fence < (record.fence ?? fence)) throw new TusError('ERR_LOCK_LOST');
}
