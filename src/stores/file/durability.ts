import { constants, fsync as fsyncCallback } from 'node:fs';
import { promisify } from 'node:util';
import { isFull, type UploadInfo } from '../../core/upload.js';
import type { Disk } from '../../internal/disk.js';
import { withFile } from './fs.js';
import type { UploadPaths } from './upload-paths.js';

/**
 * When bytes have to be on the disk itself, where a power cut cannot take them (tuskd's `-fsync`). Nothing of this is
 * about crashes of the server: the kernel has the bytes then.
 *
 * - `off`: whenever the kernel likes
 * - `finish`: before a finished upload is reported as finished
 * - `request`: before each answer, so that no client ever has to send again what it was told is stored
 */
export type FsyncMode = 'off' | 'finish' | 'request';

export const fsync = promisify(fsyncCallback);

export interface Durability {
  readonly fsync: FsyncMode;
}

/** Whether an upload must be on the disk before anybody is told that it stands like this. */
export function mustBeDurable({ fsync: mode }: Durability, upload: UploadInfo): boolean {
  return mode === 'request' || (mode === 'finish' && isFull(upload));
}

/** Brings data, record and the names of both to the disk. */
export async function makeDurable(disk: Disk, paths: UploadPaths): Promise<void> {
  await syncData(disk, paths);
  await withFile(disk, paths.info, constants.O_RDONLY, undefined, fsync);
  await syncNames(disk, paths);
}

/** Brings to the disk which of the two files are there. */
export async function syncNames(disk: Disk, { folders }: UploadPaths): Promise<void> {
  for (const folder of folders) await syncFolder(disk, folder);
}

export async function syncData(disk: Disk, { data, readFlag }: UploadPaths): Promise<void> {
  // fsync() on a descriptor opened for reading flushes the whole file, also what others wrote.
  await withFile(disk, data, readFlag, undefined, fsync);
}

/** Windows cannot sync folders, and NTFS journals their entries. */
export async function syncFolder(disk: Disk, path: string): Promise<void> {
  if (process.platform !== 'win32')
    await withFile(disk, path, constants.O_RDONLY, undefined, fsync);
}
