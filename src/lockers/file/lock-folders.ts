import { mkdir, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { unless } from '../../internal/errno.js';

/**
 * The folders that were made for nothing but a lock: an ID with slashes may be asked for that no upload has. They go
 * with the last lock in them, unless an upload has moved in. Folders of others are never touched.
 */
export class LockFolders {
  readonly #dirPerms: number;
  /** Locks of ours below each of them. */
  readonly #locks = new Map<string, number>();

  constructor(dirPerms: number) {
    this.#dirPerms = dirPerms;
  }

  async make(folder: string): Promise<void> {
    const topmost = await mkdir(folder, { recursive: true, mode: this.#dirPerms });
    if (topmost === undefined) return;
    for (let made = folder; made.length >= topmost.length; made = dirname(made)) {
      this.#locks.set(made, 0);
    }
  }

  /** There is a lock at `path`. */
  enter(path: string): void {
    for (const [folder, count] of this.#above(path)) this.#locks.set(folder, count + 1);
  }

  /** There is none any more; or, after `make`, it did not come to one. */
  async leave(path: string, hadLock: boolean): Promise<void> {
    const empty: string[] = [];
    for (const [folder, count] of this.#above(path)) {
      const left = hadLock ? count - 1 : count;
      if (left > 0) this.#locks.set(folder, left);
      else if (this.#locks.delete(folder)) empty.push(folder);
    }
    for (const folder of empty) await unless(() => rmdir(folder), 'ENOTEMPTY', 'EEXIST', 'ENOENT');
  }

  /** Ours among the folders that lead to `path`, the deepest first. */
  #above(path: string): [folder: string, locks: number][] {
    const found: [string, number][] = [];
    // Uploads without folders, nearly all, pass here.
    if (this.#locks.size === 0) return found;
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
      const locks = this.#locks.get(folder);
      if (locks !== undefined) found.push([folder, locks]);
    }
    return found;
  }
}
