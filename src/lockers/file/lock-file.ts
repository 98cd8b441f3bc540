import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isErrno } from '../../internal/errno.js';
import { type LockRecord, parseLockRecord } from './lock-record.js';

/** A lock file as it was at one moment. */
export interface LockFile extends LockRecord {
  readonly text: string;
  readonly inode: bigint;
  readonly modifiedNs: bigint;
}

/** Longest lock file that is read, in bytes. Ours have some 200. */
const maxLength = 4096;

/** Reads a lock file; undefined where there is none. */
export async function readLockFile(path: string): Promise<LockFile | undefined> {
  const file = await openIfExists(path);
  if (file === undefined) return undefined;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(maxLength), 0, maxLength, 0);
    const stat = await file.stat({ bigint: true });
    const text = buffer.toString('utf8', 0, bytesRead);
    return { ...parseLockRecord(text), text, inode: stat.ino, modifiedNs: stat.mtimeNs };
  } finally {
    await file.close();
  }
}

/** Whether both are the same file and nobody has renewed it in between. */
export function isSameLockFile(one: LockFile, other: LockFile): boolean {
  return (
    one.inode === other.inode && one.modifiedNs === other.modifiedNs && one.text === other.text
  );
}

async function openIfExists(path: string): Promise<Awaited<ReturnType<typeof open>> | undefined> {
  try {
    // Neither follows a link out of the directory nor hangs on a FIFO that somebody put there.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    // The last two: no file can have the name that the ID asks for.
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}
