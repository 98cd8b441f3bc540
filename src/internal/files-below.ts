import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './errno.js';
import { privateFolder } from './private-folder.js';

/** Codes of what is not there, or is no folder of this tree (any more). */
const gone = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'];

/** Paths of all files below an upload directory, entry by entry, but for those in our own folder. */
export async function* filesBelow(
  directory: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  yield* filesAmong(directory, await opendir(directory), signal);
}

async function* filesAmong(
  folder: string,
  entries: AsyncIterable<Dirent> | Dirent[],
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  for await (const entry of entries) {
    signal?.throwIfAborted();
    const path = join(folder, entry.name);
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && entry.name !== privateFolder)
      yield* filesAmong(path, await entriesOf(path), signal);
  }
}

/** What is in a folder; nothing where there is none: it may have gone since it was listed, with the last upload in it. */
export async function entriesOf(folder: string): Promise<AsyncIterable<Dirent> | Dirent[]> {
  try {
    return await opendir(folder);
  } catch (error) {
    if (isErrno(error, ...gone)) return [];
    throw error;
  }
}
