import type { Disk } from '../../internal/disk.js';
import { fsync } from './durability.js';
import { flags, removeFile, withFile, writeAll } from './fs.js';

export interface InfoFileOptions {
  readonly disk: Disk;
  readonly filePerms: number;
  /** Whether the content has to be on the disk before it takes the place of the old one. */
  readonly durable: boolean;
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
  await writeTemporary(temporary, flags.create, content, options);
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
  await writeTemporary(temporary, flags.replace, content, options);
  await options.disk.rename(temporary, path);
}

function temporaryName(path: string): string {
  return `${path}.part`;
}

async function writeTemporary(
  path: string,
  flag: number,
  content: string,
  { disk, filePerms, durable }: InfoFileOptions,
): Promise<void> {
  await withFile(disk, path, flag, filePerms, async (descriptor) => {
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
