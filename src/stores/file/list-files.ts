import { lstat, opendir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { StoredItem } from '../../core/data-store.js';
import { isUploadId } from '../../core/upload-id.js';
import { isMissing } from './file-errors.js';
import { flags } from './fs.js';
import { isErrno } from '../../internal/errno.js';
import { privateFolder } from '../../internal/private-folder.js';
import { parseInfoRecord } from '../info-record.js';

/** IDs that this server (and tusd) makes up: without a record, such a file is left over from a crash. */
const ownId = /^[\da-f]{32}$/;

/**
 * Everything below an upload directory that belongs to uploads, entry by entry. A file that has no record and no name
 * of our making is somebody else's.
 */
export async function* listFiles(
  directory: string,
  signal: AbortSignal | undefined,
  folder = directory,
): AsyncGenerator<StoredItem> {
  for await (const entry of await opendir(folder)) {
    signal?.throwIfAborted();
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== privateFolder) yield* listFiles(directory, signal, path);
    } else if (entry.isFile()) {
      const item = await classify(directory, path);
      if (item !== undefined) yield item;
    }
  }
}

async function classify(directory: string, path: string): Promise<StoredItem | undefined> {
  const [, stem = path, suffix = ''] = /^(.*?)(\.info|\.info\.part)?$/s.exec(path) ?? [];
  const id = relative(directory, stem).split(sep).join('/');
  if (!isUploadId(id)) return undefined;
  if (suffix === '' && !ownId.test(id.split('/').at(-1) ?? '')) return undefined;
  const modifiedAt = await modificationTime(path);
  if (modifiedAt === undefined) return undefined; // Gone since it was listed.
  if (suffix === '.info') {
    if (!(await isRecordOf(path, id))) return undefined;
    return { id, kind: 'upload', modifiedAt: (await modificationTime(stem)) ?? modifiedAt };
  }
  const hasRecord = (await modificationTime(`${stem}.info`)) !== undefined;
  return hasRecord ? undefined : { id, kind: 'orphan', modifiedAt };
}

/** Other programs have files named `.info` too. */
async function isRecordOf(path: string, id: string): Promise<boolean> {
  try {
    return (
      parseInfoRecord(await readFile(path, { encoding: 'utf8', flag: flags.read })).info.id === id
    );
  } catch (error) {
    // What a system call says is no word about the content: only a missing file is none of ours.
    if (error instanceof Error && 'syscall' in error && !isMissing(error)) throw error;
    return false;
  }
}

async function modificationTime(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).mtimeMs;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
