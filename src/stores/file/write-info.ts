import type { Disk } from '../../internal/disk.js';
import { isErrno, unless } from '../../internal/errno.js';
import { fsync } from './durability.js';
import { flags, removeFile, withFile, writeAll } from './fs.js';

export interface InfoFileOptions {
  readonly disk: Disk;
  readonly filePerms: number;
  /** Whether the content has to be on the disk before it takes the place of the old one. */
  readonly durable: boolean;
}

/** Takes an info file out of its place: the upload is gone, and its record still there to tell what is left of it. */
export async function putInfoAside(disk: Disk, path: string): Promise<void> {
  await unless(() => disk.rename(path, temporaryName(path)), 'ENOENT', 'ENOTDIR');
  // Where both are names of one file (see replaceInfo), rename() does nothing.
  if (await disk.exists(path)) await removeFile(disk, path);
}

/**
 * Writes an info file that must not be there yet: complete, then under its name, so that it is never seen half written.
 * @throws the error EEXIST
 */
export async function createInfo(
  path: string,
  content: string,
  options: InfoFileOptions,
): Promise<void> {
  const temporary = temporaryName(path);
  await writeTemporary(temporary, content, options);
  try {
    // Unlike rename(), link() refuses to replace what is there.
    await options.disk.link(temporary, path);
  } finally {
    await removeFile(options.disk, temporary);
  }
}

/**
 * Puts new content in an info file's place, all of it or nothing. The caller holds the upload's lock, so the temporary
 * file has a fixed name: what a crash left behind is replaced at the next attempt.
 */
export async function replaceInfo(
  path: string,
  content: string,
  options: InfoFileOptions,
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeTemporary(temporary, content, options);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    // Never written into: it may be the info file itself, whose maker was killed before he took its first name away.
    await removeFile(options.disk, temporary);
    await writeTemporary(temporary, content, options);
  }
  await options.disk.rename(temporary, path);
}

/** Where the info file for `path` is made, and put when its upload is removed. */
export function temporaryName(path: string): string {
  return `${path}.part`;
}

async function writeTemporary(
  path: string,
  content: string,
  { disk, filePerms, durable }: InfoFileOptions,
): Promise<void> {
  await withFile(disk, path, flags.create, filePerms, async (descriptor) => {
    try {
      const { error } = await writeAll(
        (buffers, position) => disk.writev(descriptor, buffers, position),
        [Buffer.from(content)],
        0,
      );
      if (error !== undefined) throw error;
      if (durable) await fsync(descriptor);
    } catch (error) {
      await removeFile(disk, path);
      throw error;
    }
  });
}
