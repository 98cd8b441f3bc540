import { constants } from 'node:fs';
import type { Disk } from '../../internal/disk.js';
import { unless } from '../../internal/errno.js';

// Neither follows a symbolic link nor waits at a FIFO that somebody put there. Windows knows neither constant.
const plainFile = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
export const flags = {
  /** Read; never through a symbolic link. */
  read: constants.O_RDONLY | plainFile,
  /** Write into a file that is there; never through a symbolic link. */
  write: constants.O_WRONLY | plainFile,
  /** Write a file that must not be there yet. */
  create: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | plainFile,
  /** Write behind what is there, also while others do. */
  append: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | plainFile,
} as const;

/** Runs `use` with an open file and closes it in any case. */
export async function withFile<T>(
  disk: Disk,
  path: string,
  flag: number,
  mode: number | undefined,
  use: (descriptor: number) => Promise<T>,
): Promise<T> {
  const descriptor = await disk.open(path, flag, mode);
  try {
    return await use(descriptor);
  } finally {
    await disk.close(descriptor);
  }
}

/** Writes `buffers` at `position`, or some of them; gives the number of bytes. */
export type Write = (buffers: readonly Uint8Array[], position: number) => number | Promise<number>;

/** Writes all of `buffers` at `position`; with what is written where that fails halfway. */
export async function writeAll(
  write: Write,
  buffers: readonly Uint8Array[],
  position: number,
): Promise<{ bytesWritten: number; error?: unknown }> {
  let left = [...buffers];
  let bytesWritten = 0;
  try {
    while (left.length > 0) {
      const count = await write(left, position + bytesWritten);
      bytesWritten += count;
      left = withoutFirst(left, count);
    }
    return { bytesWritten };
  } catch (error) {
    return { bytesWritten, error };
  }
}

/** A disk that fills up takes a part and refuses the rest at the next call. */
function withoutFirst(buffers: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let index = 0;
  for (const buffer of buffers) {
    if (buffer.length > left) return [buffer.subarray(left), ...buffers.slice(index + 1)];
    left -= buffer.length;
    index += 1;
  }
  return [];
}

/** The whole of a small file, without following a symbolic link. */
export async function readSmallFile(disk: Disk, path: string): Promise<string> {
  return withFile(disk, path, flags.read, undefined, async (descriptor) => {
    const pieces: Uint8Array[] = [];
    for (;;) {
      // Small enough to be cut from Node's pool: an array buffer of its own costs as much as the call.
      const buffer = Buffer.allocUnsafe(2048);
      const bytesRead = await disk.read(descriptor, buffer);
      pieces.push(buffer.subarray(0, bytesRead));
      if (bytesRead < buffer.length) return Buffer.concat(pieces).toString('utf8');
    }
  });
}

/** Removes a file; one that is not there is as good. */
export async function removeFile(disk: Disk, path: string): Promise<void> {
  await unless(() => disk.unlink(path), 'ENOENT', 'ENOTDIR');
}
