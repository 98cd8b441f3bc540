import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Body } from '../../core/body.js';
import type { ByteRange, ReadResult, Upload, WriteResult } from '../../core/data-store.js';
import { TusError } from '../../core/errors.js';
import type { UploadChanges, UploadInfo } from '../../core/upload.js';
import type { Disk } from '../../internal/disk.js';
import { type Durability, makeDurable, mustBeDurable } from './durability.js';
import { asTusError } from './file-errors.js';
import { removeFile, withFile, type Write, writeAll } from './fs.js';
import { serializeInfo } from '../info-record.js';
import { removeEmptyParents, type UploadPaths } from './upload-paths.js';
import { replaceInfo } from './write-info.js';

/**
 * Bytes up to which there is likely no more to come, and nothing to do while they are written. Behind them writes are
 * made aside, so that the network and the disk are busy at the same time.
 */
const smallBody = 128 * 1024;
/** Bytes read from the disk at once for a download. */
const readSize = 256 * 1024;

export interface FileUploadOptions extends Durability {
  readonly directory: string;
  readonly disk: Disk;
  readonly filePerms: number;
}

/** One upload on disk: `ID` with its bytes, `ID.info` with its record. */
export class FileUpload implements Upload {
  readonly id: string;
  readonly #options: FileUploadOptions;
  readonly #paths: UploadPaths;
  /** Undefined once it was terminated through this handle. */
  #info: UploadInfo | undefined;

  constructor(options: FileUploadOptions, paths: UploadPaths, info: UploadInfo) {
    this.id = info.id;
    this.#options = options;
    this.#paths = paths;
    this.#info = info;
  }

  async getInfo(): Promise<UploadInfo> {
    if (this.#info === undefined) throw new TusError('ERR_UPLOAD_NOT_FOUND');
    return this.#info;
  }

  async update(changes: UploadChanges): Promise<UploadInfo> {
    const { disk, filePerms, fsync } = this.#options;
    const info = { ...(await this.getInfo()), ...changes };
    try {
      // A record that somebody removed meanwhile must not come back.
      await disk.lstat(this.#paths.info);
      const content = serializeInfo(info);
      await replaceInfo(this.#paths.info, content, { disk, filePerms, durable: fsync !== 'off' });
      this.#info = info;
      await this.#keepPromise(info);
    } catch (error) {
      throw asTusError(error);
    }
    return info;
  }

  async writeChunk(offset: number, body: Body): Promise<WriteResult> {
    const before = await this.getInfo();
    const { disk } = this.#options;
    try {
      const { data, writeFlag } = this.#paths;
      const result = await withFile(disk, data, writeFlag, undefined, (descriptor) =>
        storeBody(disk, descriptor, offset, body),
      );
      const info = { ...before, offset: offset + result.bytesWritten, modifiedAt: Date.now() };
      this.#info = info;
      await this.#keepPromise(info);
      return result;
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

  /** The record goes first: an upload without one is gone, while data without one is only left over. */
  async terminate(): Promise<void> {
    this.#info = undefined;
    await removeFile(this.#options.disk, this.#paths.info);
    await removeFile(this.#options.disk, this.#paths.data);
    await removeEmptyParents(this.#options.directory, this.id);
  }

  async #keepPromise(info: UploadInfo): Promise<void> {
    if (mustBeDurable(this.#options, info)) await makeDurable(this.#options.disk, this.#paths);
  }
}

/** Writes what arrives while the next of it arrives: one call for all that came during the last one. */
async function storeBody(
  disk: Disk,
  descriptor: number,
  offset: number,
  body: Body,
): Promise<WriteResult> {
  const write: Write = (buffers, position) =>
    position - offset < smallBody
      ? disk.writev(descriptor, buffers, position)
      : disk.writevAside(descriptor, buffers, position);
  let bytesWritten = 0;
  for (;;) {
    const batch = await body.next();
    if (batch === null) return { bytesWritten };
    const written = await writeAll(write, batch, offset + bytesWritten);
    bytesWritten += written.bytesWritten;
    if (written.error !== undefined) return { bytesWritten, error: asTusError(written.error) };
  }
}
