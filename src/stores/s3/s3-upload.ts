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
import { ChunkWriter, type ChunkWriterOptions } from './chunk-writer.js';
import { completeUpload } from './complete-upload.js';
import { concatenateParts } from './concatenate-parts.js';
import type { PartBuffers } from './part-buffers.js';
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
  /** Of the last chunk, until it can be neither committed nor discarded any more. */
  #writer: ChunkWriter | undefined;
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
    if (this.#writer?.isProvisional) await this.discardChunk(options);
    const found = await this.#survey(options.signal);
    if (found.isComplete) throw new Error(`a chunk for upload ${this.id}, which is complete`);
    if (found.offset !== offset) {
      throw new Error(`a chunk for offset ${offset} of upload ${this.id} at ${found.offset}`);
    }
    if (options.fence !== undefined && options.fence < found.fence) {
      throw new TusError('ERR_LOCK_LOST');
    }
    this.#found = undefined;
    const writing = this.#writing(found, options);
    const writer = new ChunkWriter(writing, found);
    this.#writer = writer;
    try {
      await pump(body, writer, writing);
      await writer.settle();
      if (!writing.isProvisional) this.#found = await writer.commit(options.signal);
    } catch (error) {
      // The error that began it is the one to tell; a session that is not closed costs its successor some part numbers.
      await writer.giveUp().catch(() => undefined);
      if (writing.isProvisional) this.#writer = undefined;
      const end = writing.isProvisional ? offset : writer.offset;
      return { bytesWritten: end - offset, error: asTusError(error) };
    }
    return { bytesWritten: writer.end - offset };
  }

  async commitChunk({ signal }: WriteOptions = {}): Promise<void> {
    const writer = this.#writer;
    if (!writer?.isProvisional) return;
    this.#writer = undefined;
    try {
      this.#found = await this.#changing(() => writer.commit(signal));
    } catch (error) {
      // It may count all the same, and somebody may have seen that: it is not taken back.
      await writer.free();
      throw error;
    }
  }

  async discardChunk({ signal }: WriteOptions = {}): Promise<void> {
    const writer = this.#writer;
    this.#found = undefined;
    await this.#changing(async () => writer?.discard(signal));
    this.#writer = undefined;
  }

  async finish(options: WriteOptions = {}): Promise<void> {
    const found = await this.#survey(options.signal);
    this.#found = undefined;
    this.#writer = undefined;
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
    await this.#writer?.free();
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

/** @throws where the work was given up: then what has arrived is thrown away */
async function pump(
  body: Body,
  writer: ChunkWriter,
  { buffers, signal }: ChunkWriterOptions,
): Promise<void> {
  for (;;) {
    const next = body.next();
    while (writer.holdsMemory && (await isPressed(next, writer, buffers))) await writer.letGo();
    const batch = await next;
    signal?.throwIfAborted();
    if (batch === null) break;
    await writer.write(batch);
  }
  if (body.endReason === 'abandoned') throw new TusError('ERR_LOCK_LOST');
}

/** Waits for the client; resolves with true as soon as others need the memory that it keeps busy. */
async function isPressed(
  next: Promise<unknown>,
  { lastBytesAt }: ChunkWriter,
  buffers: PartBuffers,
): Promise<boolean> {
  let forget: (() => void) | undefined;
  // By hand: a race would keep something of every chunk until the last one.
  const pressed = await new Promise<boolean>((resolve) => {
    forget = buffers.hold({ lastBytesAt, letGo: () => resolve(true) });
    void next.finally(() => resolve(false));
  });
  forget?.();
  return pressed;
}

function infoOf({ record, offset, modifiedAt, isComplete }: Survey): UploadInfo {
  const { bucket: Bucket, data: Key } = record.keys;
  const storage = { ...record.info.storage, Bucket, Key };
  const info = { ...record.info, storage, offset, modifiedAt };
  return record.isTusds && isComplete ? { ...info, finish: undefined } : info;
}
