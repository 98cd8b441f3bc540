import { TusError } from '../../core/errors.js';
import { isErrno } from '../../internal/errno.js';

/**
 * What a failed call on an upload that was there means to the client. A full disk and a missing file are told apart;
 * everything else (permissions, a read-only or broken disk) is thrown on and becomes 500 with this error as the cause.
 */
export function asTusError(error: unknown): unknown {
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return new TusError('ERR_STORAGE_FULL', { cause: error });
  if (isMissing(error)) return new TusError('ERR_UPLOAD_NOT_FOUND', { cause: error });
  return error;
}

/**
 * Nothing of ours is at that path: nothing at all, a name no file can have, a path through something that is no folder,
 * or a symbolic link, which is never followed.
 */
function isMissing(error: unknown): boolean {
  return isErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EISDIR');
}

/** What `read` resolves with; undefined where there is nothing of ours. */
export async function unlessMissing<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
