import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { TusError } from '../../core/errors.js';
import type { UploadInfo } from '../../core/upload.js';
import type { Disk } from '../../internal/disk.js';
import { type InfoRecord, parseInfoRecord } from '../info-record.js';
import { unlessMissing } from './file-errors.js';
import { readSmallFile } from './fs.js';
import { type UploadPaths, uploadPaths } from './upload-paths.js';
import { verifiedOffsetOf } from './verified-offset.js';

/** An upload as its two files tell it. */
export interface FoundUpload {
  readonly info: UploadInfo;
  readonly paths: UploadPaths;
  /** Where the bytes that count end, if the record says so; otherwise every byte in the data file counts. */
  readonly verifiedOffset: number | undefined;
}

/**
 * Finds an upload, also while somebody else writes to it.
 *
 * The size of the data is taken before the record is read. Bytes that may not count yet are written only once the
 * record says where those that do end, and then it never stops saying so. A record that does not say it, therefore,
 * proves that all bytes counted when the size was taken. One that does is true of the moment when it was read, and
 * of a size from before it can only tell too little: bytes that have come in between.
 *
 * @throws TusError ERR_UPLOAD_NOT_FOUND; what the file system says
 */
export async function findUpload(disk: Disk, directory: string, id: string): Promise<FoundUpload> {
  const standard = uploadPaths(directory, id);
  const beside = await unlessMissing(() => disk.lstat(standard.data));
  const record = await readRecord(disk, directory, id);
  const paths = uploadPaths(directory, id, record.info.storage);
  if (paths.data !== standard.data) {
    const elsewhere = await unlessMissing(() => disk.stat(paths.data));
    // Only the record tells where the data is, so it was read too early.
    if (elsewhere) return found(id, await readRecord(disk, directory, id), paths, elsewhere);
    // Written as seen from another working directory, or before the directory was moved.
  }
  if (beside?.isFile() !== true) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  return found(id, record, standard, beside);
}

/** Where the data of an upload is whose record was read before; undefined where it has gone. */
export async function findData(
  disk: Disk,
  directory: string,
  { id, storage }: Pick<UploadInfo, 'id' | 'storage'>,
): Promise<UploadPaths | undefined> {
  const standard = uploadPaths(directory, id);
  const paths = uploadPaths(directory, id, storage);
  if (paths.data !== standard.data && (await unlessMissing(() => disk.stat(paths.data))))
    return paths;
  return (await unlessMissing(() => disk.lstat(standard.data)))?.isFile() === true
    ? standard
    : undefined;
}

function found(
  id: string,
  { info, own }: InfoRecord,
  paths: UploadPaths,
  { size, mtimeMs }: Stats,
): FoundUpload {
  const verifiedOffset = verifiedOffsetOf(own);
  const offset = verifiedOffset === undefined ? size : Math.min(size, verifiedOffset);
  return { info: { ...info, id, offset, modifiedAt: mtimeMs }, paths, verifiedOffset };
}

/** An info file that says nothing sensible is no missing upload: somebody has to look at it. */
async function readRecord(disk: Disk, directory: string, id: string): Promise<InfoRecord> {
  const text = await readSmallFile(disk, `${join(directory, id)}.info`);
  try {
    return parseInfoRecord(text);
  } catch (error) {
    throw new Error(`The info file of upload ${id} cannot be read`, { cause: error });
  }
}
