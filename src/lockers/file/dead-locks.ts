import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isUploadId } from '../../core/upload-id.js';
import { isErrno } from '../../internal/errno.js';
import { privateFolder } from '../../internal/private-folder.js';
import { type LockFile, readLockFile } from './lock-file.js';

const suffix = '.lock';

/**
 * IDs below `directory` whose lock files belong to processes of ours that are dead. A file with nothing but a PID may be
 * tusd's, but also any other program's: it stays, and is replaced when its upload is asked for.
 */
export async function* deadLocks(
  directory: string,
  isDead: (file: LockFile) => Promise<boolean>,
  signal: AbortSignal,
  folder = directory,
): AsyncGenerator<string> {
  for await (const entry of await openIfExists(folder)) {
    signal.throwIfAborted();
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== privateFolder) yield* deadLocks(directory, isDead, signal, path);
    } else if (entry.isFile() && entry.name.endsWith(suffix)) {
      const id = relative(directory, path.slice(0, -suffix.length)).split(sep).join('/');
      const file = isUploadId(id) ? await readLockFile(path) : undefined;
      if (file?.address !== undefined && (await isDead(file))) yield id;
    }
  }
}

async function openIfExists(folder: string): Promise<AsyncIterable<Dirent> | Dirent[]> {
  try {
    return await opendir(folder);
  } catch (error) {
    // Gone since it was listed.
    if (!isErrno(error, 'ENOENT')) throw error;
    return [];
  }
}
