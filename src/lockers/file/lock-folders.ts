import { mkdir, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno, unless } from '../../internal/errno.js';

/**
 * The folders that were made for nothing but a lock: an ID with slashes may be asked for that no upload has. They go
 * with the last lock in them, unless an upload has moved in. Folders of others are never touched.
 */
export class LockFolders {
  readonly #directory: string;
  readonly #dirPerms: number;
  readonly #made = new Set<string>();
  /** Locks of ours below each folder, also those that are only about to be there: they need it, whoever makes it. */
  readonly #locks = new Map<string, number>();
  /** One at a time: whether a folder is still needed is known only once those before are done with it. */
  #leaving: Promise<void> = Promise.resolve();

  constructor(directory: string, dirPerms: number) {
    this.#directory = directory;
    this.#dirPerms = dirPerms;
  }

  /** May be in vain, where somebody removes a folder on the way meanwhile. */
  async make(folder: string): Promise<void> {
    try {
      const topmost = await mkdir(folder, { recursive: true, mode: this.#dirPerms });
      if (topmost === undefined) return;
      for (let made = folder; made.length >= topmost.length; made = dirname(made)) {
        this.#made.add(made);
      }
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  /** There will be a lock at `path`. */
  enter(path: string): void {
    for (const folder of this.#above(path)) {
      this.#locks.set(folder, (this.#locks.get(folder) ?? 0) + 1);
    }
  }

  /**
   * There is none any more, or it did not come to one.
   * @param areOurs whether its folders were an upload's that has gone: they go as if we had made them
   */
  async leave(path: string, areOurs = false): Promise<void> {
    const folders = this.#above(path);
    if (folders.length === 0) return;
    if (areOurs) for (const folder of folders) this.#made.add(folder);
    const left = this.#leaving.then(() => this.#remove(folders));
    this.#leaving = left.catch(() => undefined);
    await left;
  }

  async #remove(folders: readonly string[]): Promise<void> {
    for (const folder of folders) {
      const others = (this.#locks.get(folder) ?? 0) - 1;
      if (others > 0) this.#locks.set(folder, others);
      else this.#locks.delete(folder);
      if (others > 0 || !this.#made.delete(folder)) continue;
      const removed = await unless(() => rmdir(folder), 'ENOTEMPTY', 'EEXIST', 'ENOENT');
      // Who came meanwhile removes it in the end; if nobody did, an upload is in it.
      if (!removed && this.#locks.has(folder)) this.#made.add(folder);
    }
  }

  /** The folders between the upload directory and `path`, the deepest first. Nearly all uploads have none. */
  #above(path: string): string[] {
    const folders: string[] = [];
    for (let folder = dirname(path); folder.length > this.#directory.length;) {
      folders.push(folder);
      folder = dirname(folder);
    }
    return folders;
  }
}
