import type { Stats } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import type { UploadInfo } from '../../core/upload.js';
import { parseInfoRecord } from '../info-record.js';
import { unlessMissing } from './file-errors.js';
import { flags } from './fs.js';

/** Bytes of the largest record that is looked at: a larger file was not made here, and is not read into memory. */
const maxRecordLength = 16 * 1024 * 1024;

/** The regular file at `path`, if there is one. */
export async function fileAt(path: string): Promise<Stats | undefined> {
  const stats = await unlessMissing(() => lstat(path));
  return stats?.isFile() === true ? stats : undefined;
}

/** The first bytes of the file at `path`; undefined where it has gone. */
export async function startOf(path: string, length: number): Promise<Buffer | undefined> {
  return unlessMissing(async () => {
    const file = await open(path, flags.read);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  });
}

/** The record of upload `id` at `path`; undefined where there is none: other programs have files of such names, too. */
export async function recordAt(path: string, id: string): Promise<UploadInfo | undefined> {
  const stats = await fileAt(path);
  if (stats === undefined || stats.size > maxRecordLength) return undefined;
  const text = (await startOf(path, stats.size))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const { info } = parseInfoRecord(text);
    return info.id === id ? info : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the file at `path` begins as a record of `id` does, or was cut off even before. */
export async function beginsAsRecord(path: string, id: string): Promise<boolean> {
  const beginning = Buffer.from(`{"ID":${JSON.stringify(id)},`);
  const start = await startOf(path, beginning.length);
  return start !== undefined && beginning.subarray(0, start.length).equals(start);
}
