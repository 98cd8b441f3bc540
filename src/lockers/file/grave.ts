import { createHash } from 'node:crypto';
import { readdir, rename, unlink } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { unless } from '../../internal/errno.js';
import { privateFolder } from '../../internal/private-folder.js';
import type { IdentityFile } from './identity-file.js';
import { isSameLockFile, type LockFile, readLockFile } from './lock-file.js';

export interface GraveOptions {
  readonly directory: string;
  readonly identity: IdentityFile;
  /** Whether the owner of a file is proven dead. MUST NOT wait for him. */
  readonly isDead: (file: LockFile) => Promise<boolean>;
}

/**
 * Replaces the lock of a dead holder by ours, so that there is no moment with two holders and none without a lock.
 *
 * Between the verdict and the deed anything may happen: others judge the same lock, one of them replaces it, and then
 * it is a live one's. So only who holds the *burial file* of a dead lock may touch it. Its name follows from the lock's
 * path and content, so all who want to bury the same lock want the same burial file; it is taken like a lock, by
 * linking, and holding it one looks again before one replaces. A burier may die, too: his file is replaced like any
 * other lock of the dead, under a burial file of its own.
 *
 * @returns the inode of the lock that is ours now, or undefined: somebody else was faster, or is at it.
 */
export async function replaceDeadLock(
  path: string,
  dead: LockFile,
  options: GraveOptions,
): Promise<bigint | undefined> {
  const burialPath = burialPathOf(path, dead, options.directory);
  const inode = await takeBurialFile(burialPath, options);
  if (inode === undefined) return undefined;
  const now = await readLockFile(path);
  if (now !== undefined && isSameLockFile(now, dead)) {
    await rename(burialPath, path);
    return inode;
  }
  await unlink(burialPath);
  return undefined;
}

/** Removes what dead processes have left in our folder. Their locks stay: each is replaced by the next who wants it. */
export async function sweepFolder(options: GraveOptions): Promise<void> {
  const folder = join(options.directory, privateFolder);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    // The store has a folder of its own here.
    if (!entry.isFile()) continue;
    const { name } = entry;
    const path = join(folder, name);
    const file = await readLockFile(path);
    if (file === undefined) continue;
    // Its maker was killed before he could fill it. If he lives, he makes another one.
    const isOfNobody = file.text === '' && !name.endsWith(burialSuffix);
    if (!isOfNobody && !(await options.isDead(file))) continue;
    // The name of an identity file is used only once. A burial file's is not: see above.
    if (!name.endsWith(burialSuffix)) await unless(() => unlink(path), 'ENOENT');
    else if ((await replaceDeadLock(path, file, options)) !== undefined) await unlink(path);
  }
}

const burialSuffix = '.part';

/** In our folder, under a hash, because a long ID leaves no room for a suffix. */
function burialPathOf(path: string, dead: LockFile, directory: string): string {
  // Hosts may see the directory under different names.
  const name = relative(directory, path).replaceAll(sep, '/');
  const hash = createHash('sha256').update(`${name}\n${dead.text}`).digest('hex').slice(0, 32);
  return join(directory, privateFolder, hash + burialSuffix);
}

async function takeBurialFile(path: string, options: GraveOptions): Promise<bigint | undefined> {
  for (;;) {
    const inode = await options.identity.link(path);
    if (inode !== undefined) return inode;
    const other = await readLockFile(path);
    if (other === undefined) continue;
    if (!(await options.isDead(other))) return undefined;
    const replaced = await replaceDeadLock(path, other, options);
    if (replaced !== undefined) return replaced;
  }
}
