import { writeFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Disk } from '../../internal/disk.js';
import { isErrno, unless } from '../../internal/errno.js';
import { privateFolder } from '../../internal/private-folder.js';
import type { LockFolders } from './lock-folders.js';

export interface IdentityFileOptions {
  /** The upload directory. */
  readonly directory: string;
  readonly disk: Disk;
  readonly nonce: string;
  /** What every lock file of this process contains. */
  readonly content: string;
  readonly dirPerms: number;
  readonly filePerms: number;
  /** How old its modification time may be when a lock appears, in milliseconds. */
  readonly freshForMs: number;
}

/** How often others may take the folder away from under a new file before that is taken for a failure. */
const maxAttempts = 100;

/** One file on disk: every lock is a hard link to it. */
interface Inode {
  readonly path: string;
  readonly inode: bigint;
  readonly file: FileHandle;
}

/**
 * The one file behind all locks of a process. Linking it takes a lock in a single system call: the lock file appears
 * at once and complete, or it exists already. Renewing it renews every lock.
 */
export class IdentityFile {
  readonly #options: IdentityFileOptions;
  /** The last one is linked; the others can take no more links. */
  readonly #inodes: Inode[] = [];
  #adding: Promise<Inode> | undefined;
  #touchedAt = 0;

  constructor(options: IdentityFileOptions) {
    this.#options = options;
  }

  /**
   * Makes `path` a lock of ours. Resolves with its inode, or with undefined where it exists already. With `folders`,
   * the folder that it lies in is made.
   */
  async link(path: string, folders?: LockFolders): Promise<bigint | undefined> {
    // A lock must not appear with a time that lets another host think we are dead.
    if (Math.abs(Date.now() - this.#touchedAt) > this.#options.freshForMs) await this.touch();
    for (;;) {
      const current = this.#inodes.at(-1) ?? (await this.#add());
      try {
        await this.#options.disk.link(current.path, path);
        return current.inode;
      } catch (error) {
        if (isErrno(error, 'EEXIST')) return undefined;
        if (!(await this.#canRetry(error, current, path, folders))) throw error;
      }
    }
  }

  /** Renews all locks of this process, and tells what time it is for the file system, in milliseconds since 1970. */
  async touch(): Promise<number> {
    if (this.#inodes.length === 0) await this.#add();
    let now = 0;
    for (const { file } of this.#inodes) {
      // Writing the same bytes lets the file system's own clock set the time: hosts that share a directory need no
      // common clock. The stat that follows brings it onto a network disk.
      await file.write(this.#options.content, 0, 'utf8');
      const { mtimeMs } = await file.stat();
      now = Math.max(now, mtimeMs);
    }
    this.#touchedAt = Date.now();
    return now;
  }

  async close(): Promise<void> {
    for (const { path, file } of this.#inodes.splice(0)) {
      await file.close();
      await unless(() => unlink(path), 'ENOENT');
    }
    const folder = join(this.#options.directory, privateFolder);
    await unless(() => rmdir(folder), 'ENOTEMPTY', 'EEXIST', 'ENOENT');
  }

  /** Whether a second attempt may work after `link` failed. */
  async #canRetry(
    error: unknown,
    current: Inode,
    path: string,
    folders?: LockFolders,
  ): Promise<boolean> {
    if (isErrno(error, 'EMLINK')) {
      await this.#add(current);
      return true;
    }
    if (!isErrno(error, 'ENOENT')) return false;
    // Another host took us for dead while we held nothing, or somebody cleaned up.
    if (!(await unless(() => stat(current.path), 'ENOENT'))) {
      await this.#add(current);
      return true;
    }
    const folder = dirname(path);
    if (folders === undefined || folder === this.#options.directory) return false;
    await folders.make(folder);
    return true;
  }

  /** Puts a new file after `current`; once, however many locks need it at this moment. */
  async #add(current?: Inode): Promise<Inode> {
    const last = this.#inodes.at(-1);
    if (last !== undefined && last !== current) return last;
    this.#adding ??= this.#create().finally(() => (this.#adding = undefined));
    return this.#adding;
  }

  async #create(): Promise<Inode> {
    const { directory, nonce, content, dirPerms, filePerms } = this.#options;
    const folder = join(directory, privateFolder);
    const path = join(folder, `${nonce}-${this.#inodes.length}`);
    for (let attempt = 1; ; attempt += 1) {
      try {
        // The upload directory too, where its first upload is still to come.
        await mkdir(folder, { recursive: true, mode: dirPerms });
        // In one go: a process that is killed between making a file and filling it leaves one that nobody can judge.
        writeFileSync(path, content, { flag: 'wx', mode: filePerms });
        const file = await open(path, 'r+');
        const { ino } = await file.stat({ bigint: true });
        const made = { path, inode: ino, file };
        this.#inodes.push(made);
        return made;
      } catch (error) {
        // Another process removes the folder when it was the last one in it, in the middle of mkdir() even.
        if (!isErrno(error, 'ENOENT') || attempt === maxAttempts) throw error;
      }
    }
  }
}
