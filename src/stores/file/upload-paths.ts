import { constants } from 'node:fs';
import { lstat, mkdir, rmdir } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { TusError } from '../../core/errors.js';
import type { UploadInfo } from '../../core/upload.js';
import { flags } from './fs.js';
import { isErrno } from '../../internal/errno.js';

/** Where the two files of an upload are. */
export interface UploadPaths {
  readonly info: string;
  readonly data: string;
  /** Flags to open the data with. Only a path that the operator gave (`Storage.Path`) may be a symbolic link. */
  readonly readFlag: number;
  readonly writeFlag: number;
  /** Folders whose entries lead to them, from the upload directory in. */
  readonly folders: readonly string[];
}

/** The paths of upload `id`, whose record says `storage`. */
export function uploadPaths(
  directory: string,
  id: string,
  storage: UploadInfo['storage'] = {},
): UploadPaths {
  const standard = join(directory, id);
  const stored = storage['Path'] ?? standard;
  // tusd writes the path as its command line spells it; spelled in another way it is not somewhere else.
  const isOperators = stored !== standard && resolve(stored) !== resolve(standard);
  const folders = [directory, ...(id.includes('/') ? parents(directory, id) : [])];
  return {
    info: `${standard}.info`,
    data: isOperators ? stored : standard,
    readFlag: isOperators ? constants.O_RDONLY : flags.read,
    writeFlag: isOperators ? constants.O_WRONLY : flags.write,
    folders: isOperators ? [...folders, dirname(stored)] : folders,
  };
}

/** A wish for a path, from the operator's hook: absolute, or relative to the upload directory. */
export function wishedPath(directory: string, path: string): string {
  return isAbsolute(path) ? path : join(directory, path);
}

/** IDs with `/` make folders. None of them may be a symbolic link, or a client could reach what lies behind it. */
export async function checkParents(directory: string, id: string): Promise<void> {
  for (const parent of parents(directory, id)) {
    if ((await lstat(parent)).isSymbolicLink()) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  }
}

/**
 * Makes the folder of `path` where it is missing; in vain, where somebody removes an empty one on the way meanwhile.
 * @throws TusError ERR_UPLOAD_EXISTS where an upload stands in the way (`a` beside `a/b`)
 */
export async function makeFolder(path: string, dirPerms: number): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: dirPerms });
  } catch (error) {
    if (isErrno(error, 'EEXIST', 'ENOTDIR'))
      throw new TusError('ERR_UPLOAD_EXISTS', { cause: error });
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Removes the folders that `id` made, from the innermost out, as far as nothing else is in them. */
export async function removeEmptyParents(directory: string, id: string): Promise<void> {
  for (const parent of parents(directory, id).reverse()) {
    try {
      await rmdir(parent);
    } catch (error) {
      if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw error;
    }
  }
}

/** The folders between the upload directory and the upload, from the outermost in. */
function parents(directory: string, id: string): string[] {
  const segments = id.split('/').slice(0, -1);
  return segments.map((_, index) => join(directory, ...segments.slice(0, index + 1)));
}
