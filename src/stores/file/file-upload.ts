import { createReadStream } from 'node:fs';
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
import { isFull, type UploadChanges, type UploadInfo } from '../../core/upload.js';
import type { Disk } from '../../internal/disk.js';
import { type Durability, makeDurable, mustBeDurable, syncData, syncNames } from './durability.js';
import { asTusError } from './file-errors.js';
import type { FoundUpload } from './find-upload.js';
import { addNote, readNotes, removeNotes } from './awaited-by.js';
import { copyParts, type OpenPart, openParts } from './copy-parts.js';
import { removeFile, withFile } from './fs.js';
import { removeTraces } from './leftovers.js';
import { serializeInfo } from '../info-record.js';
import { storeBody } from './store-body.js';
import type { UploadPaths } from './upload-paths.js';
import { ownRecord } from './verified-offset.js';
import { putInfoAside, replaceInfo } from './write-info.js';

/** Bytes that are surely enough for a record. */
const recordRoom = 128 * 1024;
/** Bytes read from the disk at once for a download. */
const readSize = 256 * 1024;

export interface FileUploadOptions extends Durability {
  readonly directory: string;
  readonly disk: Disk;
  readonly dirPerms: number;
  readonly filePerms: number;
}

/** A chunk that was written, up to `end`. */
interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly provisional: boolean;
}

/**
 * One upload on disk: `ID` with its bytes, `ID.info` with its record.
 *
 * A chunk that does not count yet lies where it will be. Before its first byte is written the record says where the
 * bytes that count end (`verifiedOffset`), and goes on saying it from then on: every later chunk, provisional or not,
 * moves it. What lies behind it belongs to nobody and is cut off by the next who writes. An upload that never sees a
 * provisional chunk has nothing of this: its data file's size is its offset.
 */
export class FileUpload implements Upload {
  readonly id: string;
  readonly #options: FileUploadOptions;
  readonly #paths: UploadPaths;
  /** Undefined once it was terminated through this handle. */
  #info: UploadInfo | undefined;
  #verifiedOffset: number | undefined;
  /** The last one, as long as it can be forgotten. */
  #chunk: Chunk | undefined;

  constructor(options: FileUploadOptions, { info, paths, verifiedOffset }: FoundUpload) {
    this.id = info.id;
    this.#options = options;
    this.#paths = paths;
    this.#info = info;
    this.#verifiedOffset = verifiedOffset;
  }

  async getInfo(): Promise<UploadInfo> {
    if (this.#info === undefined) throw new TusError('ERR_UPLOAD_NOT_FOUND');
    return this.#info;
  }

  async update(changes: UploadChanges): Promise<UploadInfo> {
    const info = { ...(await this.getInfo()), ...changes };
    try {
      await this.#trim(info);
      await this.#writeRecord(info, this.#verifiedOffset);
      this.#info = info;
      await this.#keepPromise(info);
    } catch (error) {
      throw asTusError(error);
    }
    return info;
  }

  async writeChunk(
    offset: number,
    body: Body,
    { provisional = false }: WriteChunkOptions = {},
  ): Promise<WriteResult> {
    await this.getInfo();
    this.#chunk = undefined;
    try {
      if (provisional) await this.#hideFrom(offset);
      const result = await this.#write(offset, body, provisional);
      const chunk = { start: offset, end: offset + result.bytesWritten, provisional };
      if (!provisional) await this.#count(chunk);
      this.#chunk = chunk;
      return result;
    } catch (error) {
      throw asTusError(error);
    }
  }

  async commitChunk(): Promise<void> {
    if (this.#chunk?.provisional !== true) return;
    try {
      await this.#count(this.#chunk);
      this.#chunk = undefined;
    } catch (error) {
      throw asTusError(error);
    }
  }

  async discardChunk(): Promise<void> {
    const info = await this.getInfo();
    if (this.#chunk === undefined) return;
    const { start } = this.#chunk;
    try {
      // Frees the space first: a full disk has none for the record.
      await this.#cutOff(start);
      if (this.#verifiedOffset !== undefined && this.#verifiedOffset !== start) {
        await this.#writeRecord(info, start);
      }
      // A power cut must not bring back what was found to be wrong.
      if (this.#options.fsync !== 'off') await makeDurable(this.#options.disk, this.#paths);
      this.#info = { ...info, offset: start, modifiedAt: Date.now() };
      this.#chunk = undefined;
    } catch (error) {
      throw asTusError(error);
    }
  }

  async read({ start, end }: ByteRange): Promise<ReadResult> {
    if (start >= end) return { stream: Readable.from([]) };
    try {
      const fd = await this.#options.disk.open(this.#paths.data, this.#paths.readFlag);
      return {
        stream: createReadStream('', { fd, start, end: end - 1, highWaterMark: readSize }),
      };
    } catch (error) {
      throw asTusError(error);
    }
  }

  /**
   * The record goes first: an upload without one is gone. It is put aside for as long as there is something left of the
   * upload, whose ID may be no name that tells it from other files.
   */
  async terminate(): Promise<void> {
    const { disk, directory, fsync } = this.#options;
    const { info, data } = this.#paths;
    const isPartial = this.#info?.isPartial === true;
    this.#info = undefined;
    await putInfoAside(disk, info);
    await removeFile(disk, data);
    if (fsync === 'request') await syncNames(disk, this.#paths);
    if (isPartial) await removeNotes(disk, directory, this.id);
    await removeTraces(this.#options, this.id);
  }

  /**
   * Copies the parts behind one another. The bytes are those of the parts from the first one on at every moment, as with
   * any upload, so a run that was given up or killed is gone on with where the data ends.
   */
  async concat(parts: readonly UploadInfo[], { signal }: WriteOptions = {}): Promise<void> {
    const info = await this.getInfo();
    const size = parts.reduce((sum, part) => sum + part.offset, 0);
    if (info.offset === size) return;
    try {
      await openParts(this.#options, parts, (opened) => this.#fill(opened, info.offset, signal));
      this.#info = { ...info, offset: size, modifiedAt: Date.now() };
      await this.#keepPromise(this.#info);
    } catch (error) {
      throw asTusError(error);
    }
  }

  async noteAwaitedBy(finalId: string): Promise<void> {
    try {
      // The part may have gone since this handle read it.
      await this.#options.disk.lstat(this.#paths.info);
      await addNote(this.#options, this.id, finalId);
    } catch (error) {
      throw asTusError(error);
    }
  }

  async awaitedBy(): Promise<readonly string[]> {
    return readNotes(this.#options.disk, this.#options.directory, this.id);
  }

  async #fill(
    parts: readonly OpenPart[],
    from: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { disk } = this.#options;
    const { data, writeFlag } = this.#paths;
    try {
      await withFile(disk, data, writeFlag, undefined, (target) =>
        copyParts(disk, parts, { target, from, signal }),
      );
    } catch (error) {
      // What failed is not gone on with, and takes no room.
      if (signal?.aborted !== true) await this.#cutOff(0);
      throw error;
    }
  }

  /** Lets no byte from `offset` on count, durably: otherwise a power cut could bring such bytes, but not the record. */
  async #hideFrom(offset: number): Promise<void> {
    if (this.#verifiedOffset === offset) return;
    await this.#writeRecord(await this.getInfo(), offset);
    if (this.#options.fsync !== 'off') await makeDurable(this.#options.disk, this.#paths);
  }

  async #write(offset: number, body: Body, provisional: boolean): Promise<WriteResult> {
    const { disk } = this.#options;
    const { data, writeFlag } = this.#paths;
    return withFile(disk, data, writeFlag, undefined, async (descriptor) => {
      if (this.#verifiedOffset === undefined) return storeBody(disk, descriptor, offset, body);
      await this.#dropBytesBehind(descriptor, offset);
      const { bytesWritten, error } = await storeBody(disk, descriptor, offset, body);
      if (error === undefined || provisional) return { bytesWritten, error };
      // A disk that is full to the last byte has no room for the record that lets these bytes count.
      const kept = Math.max(bytesWritten - recordRoom, 0);
      await disk.truncate(descriptor, offset + kept);
      return { bytesWritten: kept, error };
    });
  }

  /** Only where there are some: ext4 takes a cut to nothing for the beginning of a new file, and writes all of it when it is closed. */
  async #dropBytesBehind(descriptor: number, offset: number): Promise<void> {
    const { disk } = this.#options;
    if ((await disk.stat(this.#paths.data)).size > offset) await disk.truncate(descriptor, offset);
  }

  async #count({ start, end }: Chunk): Promise<void> {
    const info = { ...(await this.getInfo()), offset: end, modifiedAt: Date.now() };
    if (this.#verifiedOffset !== undefined && end > start) await this.#moveVerified(start, info);
    this.#info = info;
    await this.#keepPromise(info);
  }

  /** Lets the bytes from `start` to the offset of `info` count. */
  async #moveVerified(start: number, info: UploadInfo): Promise<void> {
    try {
      // In their place may have been wrong ones, which a power cut must not bring back.
      if (this.#options.fsync !== 'off') await syncData(this.#options.disk, this.#paths);
      await this.#writeRecord(info, info.offset);
    } catch (error) {
      // It may have no room for the record. Bytes that do not count must not take any.
      await this.#cutOff(start);
      throw error;
    }
  }

  /** Nobody will write to a full upload any more, so its file gets its size now, for everybody. */
  async #trim(info: UploadInfo): Promise<void> {
    const mayHaveMore = this.#verifiedOffset !== undefined && this.#chunk?.provisional !== true;
    if (mayHaveMore && isFull(info)) await this.#cutOff(info.offset);
  }

  async #cutOff(length: number): Promise<void> {
    const { disk } = this.#options;
    const { data, writeFlag } = this.#paths;
    await withFile(disk, data, writeFlag, undefined, (descriptor) =>
      disk.truncate(descriptor, length),
    );
  }

  async #writeRecord(info: UploadInfo, verifiedOffset: number | undefined): Promise<void> {
    const { disk, filePerms, fsync } = this.#options;
    // A record that somebody removed meanwhile must not come back.
    await disk.lstat(this.#paths.info);
    const content = serializeInfo(info, ownRecord(verifiedOffset));
    await replaceInfo(this.#paths.info, content, { disk, filePerms, durable: fsync !== 'off' });
    this.#verifiedOffset = verifiedOffset;
  }

  async #keepPromise(info: UploadInfo): Promise<void> {
    if (mustBeDurable(this.#options, info)) await makeDurable(this.#options.disk, this.#paths);
  }
}
