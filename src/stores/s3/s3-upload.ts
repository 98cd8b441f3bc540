import { Readable } from 'node:stream';
import type { Body } from '../../core/body.js';
import type {
  ByteRange,
  ReadResult,
  Upload,
  WaitOptions,
  WriteChunkOptions,
  WriteOptions,
  WriteResult,
} from '../../core/data-store.js';
import { TusError } from '../../core/errors.js';
import type { UploadChanges, UploadInfo } from '../../core/upload.js';
import { listAwaitedBy, noteAwaitedBy } from './awaited-by.js';
import { Chunk } from './chunk.js';
import type { ChunkWriterOptions } from './chunk-writer.js';
import { completeUpload } from './complete-upload.js';
import { concatenateParts } from './concatenate-parts.js';
import { partBytesAt } from './part-size.js';
import { assertFence, changeRecord, type Place } from './load-record.js';
import { removeUpload } from './remove-upload.js';
import { asTusError } from './s3-errors.js';
import type { S3Means } from './s3-means.js';
import { type Survey, survey } from './survey.js';

/** One upload in S3: a multipart upload until it is finished, then an object. */
export class S3Upload implements Upload {
  readonly id: string;
  readonly #means: S3Means;
  readonly #place: Place;
  /** What was found or left, until something goes wrong: then it has to be looked at anew. */
  #found: Survey | undefined;
  /** The last one, until it can be neither committed nor discarded any more. */
  #chunk: Chunk | undefined;
  #isTerminated = false;

  constructor(means: S3Means, id: string, found?: Survey) {
    this.id = id;
    this.#means = means;
    this.#place = { bucket: means.bucket, prefix: means.prefix, id };
    this.#found = found;
  }

  async getInfo(options?: WaitOptions): Promise<UploadInfo> {
    return infoOf(await this.#survey(options?.signal));
  }

  async update(changes: UploadChanges, options: WriteOptions = {}): Promise<UploadInfo> {
    const { fence, signal } = options;
    const found = await this.#survey(signal);
    if (changes.size !== undefined) {
      // Throws where no object can be as large: what is declared once stays.
      partBytesAt({ ...this.#writing(found, options).plan, size: changes.size }, 0);
    }
    const record = await this.#changing(() =>
      changeRecord(this.#place, found.record, fence, signal, (current) => {
        assertFence(current, changes.fence);
        return { ...current, info: { ...current.info, ...changes } };
      }),
    );
    this.#found = { ...found, record, modifiedAt: record.modifiedAt };
    return infoOf(this.#found);
  }

  async writeChunk(
    offset: number,
    body: Body,
    options: WriteChunkOptions = {},
  ): Promise<WriteResult> {
    if (this.#chunk?.isPending) await this.discardChunk(options);
    const found = await this.#survey(options.signal);
    if (found.offset !== offset) {
      throw new Error(`a chunk for offset ${offset} of upload ${this.id} at ${found.offset}`);
    }
    if (found.isComplete) {
      // A client may not know that it is through. Nothing can come but the end.
      if ((await body.next()) === null) return { bytesWritten: 0 };
      throw new Error(`bytes for upload ${this.id}, which is complete`);
    }
    if (options.fence !== undefined && options.fence < found.fence) {
      throw new TusError('ERR_LOCK_LOST');
    }
    this.#found = undefined;
    const chunk = new Chunk(this.#writing(found, options), found);
    this.#chunk = chunk;
    const result = await chunk.write(body);
    this.#found = chunk.found;
    return result;
  }

  async commitChunk({ signal }: WriteOptions = {}): Promise<void> {
    const chunk = this.#chunk;
    if (!chunk?.isPending) return;
    this.#chunk = undefined;
    await this.#changing(() => chunk.commit(signal));
    this.#found = chunk.found;
  }

  async discardChunk({ signal }: WriteOptions = {}): Promise<void> {
    const chunk = this.#chunk;
    this.#found = undefined;
    await this.#changing(async () => chunk?.discard(signal));
    this.#chunk = undefined;
  }

  async finish(options: WriteOptions = {}): Promise<void> {
    const found = await this.#survey(options.signal);
    this.#found = undefined;
    this.#chunk = undefined;
    this.#found = await this.#changing(() =>
      completeUpload(this.#place, found, this.#writing(found, options)),
    );
  }

  async read({ start, end }: ByteRange, options?: WaitOptions): Promise<ReadResult> {
    const found = await this.#survey(options?.signal);
    if (!found.isComplete) throw new TusError('ERR_INCOMPLETE_UPLOAD');
    const { data, bucket } = found.record.keys;
    if (this.#means.presign) {
      const { metadata } = found.record.info;
      return { redirect: await this.#means.presign({ bucket, key: data, metadata }) };
    }
    if (start >= end) return { stream: Readable.from([]) };
    const range = { start, end };
    const stream = await this.#means.bucket.read({ bucket, key: data }, range, options?.signal);
    if (stream === undefined) throw new TusError('ERR_UPLOAD_NOT_FOUND');
    return { stream };
  }

  async concat(parts: readonly UploadInfo[], options: WriteOptions = {}): Promise<void> {
    const found = await this.#survey(options.signal);
    this.#found = undefined;
    await this.#changing(() =>
      concatenateParts(this.#place, found, parts, this.#writing(found, options)),
    );
  }

  async terminate({ fence, signal }: WriteOptions = {}): Promise<void> {
    if (this.#isTerminated) return;
    await this.#chunk?.free();
    await removeUpload(this.#place, fence, signal);
    this.#isTerminated = true;
    this.#found = undefined;
  }

  async noteAwaitedBy(finalId: string, options?: WaitOptions): Promise<void> {
    this.#assertPresent();
    await noteAwaitedBy(this.#place, finalId, options?.signal);
  }

  async awaitedBy(options?: WaitOptions): Promise<readonly string[]> {
    return listAwaitedBy(this.#place, options?.signal);
  }

  async #survey(signal: AbortSignal | undefined): Promise<Survey> {
    this.#assertPresent();
    this.#found ??= await survey(this.#place, signal);
    return this.#found;
  }

  #assertPresent(): void {
    if (this.#isTerminated) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  }

  #writing(found: Survey, options: WriteChunkOptions): ChunkWriterOptions {
    const { fence, signal, bodyLength, provisional: isProvisional = false } = options;
    const { bucket, wishedPartBytes, maxInFlight, buffers, slots } = this.#means;
    const { profile } = bucket;
    const { record, tail } = found;
    const plan = {
      profile,
      // A tail that was left by a store with larger parts must not become several of them.
      wishedBytes: profile.equalParts ? Math.max(wishedPartBytes, tail.size) : wishedPartBytes,
      size: record.info.size,
      equalBytes: record.ledger.partBytes ?? bytesOfTusdsParts(found),
    };
    const means = { place: this.#place, maxInFlight, buffers, slots };
    return { ...means, plan, fence, signal, bodyLength, isProvisional };
  }

  async #changing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#found = undefined;
      throw asTusError(error);
    }
  }
}

/** tusd, too, makes parts of one size, of which it leaves no note. Undefined where it has made none. */
function bytesOfTusdsParts({ record, partsEnd, lastNumber }: Survey): number | undefined {
  const areTusds = record.ledger.done === undefined && lastNumber > 0;
  return areTusds ? Math.ceil(partsEnd / lastNumber) : undefined;
}

function infoOf({ record, offset, modifiedAt, isComplete }: Survey): UploadInfo {
  const { bucket: Bucket, data: Key } = record.keys;
  const storage = { ...record.info.storage, Bucket, Key };
  const info = { ...record.info, storage, offset, modifiedAt };
  return record.isTusds && isComplete ? { ...info, finish: undefined } : info;
}
