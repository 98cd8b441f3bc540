import * as fs from 'node:fs';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isErrno, unless } from './errno.js';

/**
 * Above this, in milliseconds, a call was no matter of memory: somebody waited for a disk, or for a processor. A
 * synchronous call holds up every request of the process meanwhile.
 */
const slowMs = 10;
/**
 * How much of `windowMs` may be lost to slow calls. A busy processor causes some now and then; a disk that takes more
 * than a twentieth of the time holds up the others too much.
 */
const lostLimitMs = 500;
const windowMs = 10_000;
/** For how long calls then go through the thread pool, in milliseconds. */
const cautionMs = 60_000;
/**
 * How long calls may be made one after the other until the event loop gets its turn, in milliseconds. Calls made at once
 * leave nothing to wait for, so work that consists of nothing else would keep sockets and timers out.
 */
const turnMs = 20;
/** Bytes up to which a write is a small call: it goes to the page cache. */
const smallWrite = 64 * 1024;

/**
 * Types of local file systems (`statfs(2)`). Whatever else there is (NFS, SMB, FUSE, …) may wait for a network without
 * end, so it never gets a synchronous call.
 */
const localTypes: ReadonlySet<number> = new Set([
  0x01021994, // tmpfs
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0x794c7630, // overlayfs
  0xf2f52010, // f2fs
]);

const later = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  link: promisify(fs.link),
  lstat: promisify(fs.lstat),
  rename: promisify(fs.rename),
  stat: promisify(fs.stat),
  statfs: promisify(fs.statfs),
  truncate: promisify(fs.ftruncate),
  unlink: promisify(fs.unlink),
};

// By hand: promisify makes an object of what these two call back with only where the runtime is Node.
function readLater(
  descriptor: number,
  buffer: Uint8Array,
  position: number | null,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, buffer, 0, buffer.length, position, (error, bytesRead) =>
      error ? reject(error) : resolve(bytesRead),
    );
  });
}

function writevLater(
  descriptor: number,
  buffers: readonly Uint8Array[],
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(descriptor, buffers, position, (error, bytesWritten) =>
      error ? reject(error) : resolve(bytesWritten),
    );
  });
}

const nothingThere = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'];

function existsNow(path: string): boolean {
  try {
    // Without an error in the common case: it costs more than the call.
    return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isErrno(error, ...nothingThere)) return false;
    throw error;
  }
}

/** What a call came to, at once or later. Whoever does not `await` it must not call: it may have failed at once, too. */
type Result<T> = T | Promise<T>;

/**
 * Small calls to the file system that a directory is on.
 *
 * A trip through the thread pool costs 15 to 30 µs of CPU time, the call itself some 3 where the kernel has what it
 * needs in memory; an upload of a few KiB makes a dozen of them. So they are made at once on a local file system, for
 * as long as it answers at once: a disk that keeps all others waiting has them go through the thread pool for a minute.
 * Everything that may take its time (large writes, fsync, listing) is not made here.
 *
 * A call that is made at once throws at once and gives its plain result: a promise more for each of them would cost as
 * much as a call. They are those of the descriptor API: a `FileHandle` costs an object, a finalizer and more promises.
 */
export class Disk {
  readonly #directory: string;
  #isLocal: boolean | undefined;
  #turnDueAt = 0;
  #cautiousUntil = 0;
  #lostMs = 0;
  #lostSince = -Infinity;

  /** @param directory need not exist yet */
  constructor(directory: string) {
    this.#directory = directory;
  }

  open(path: string, flags: number, mode?: number): Result<number> {
    return this.#call(
      () => fs.openSync(path, flags, mode),
      () => later.open(path, flags, mode),
    );
  }

  close(descriptor: number): Result<void> {
    return this.#call(
      () => fs.closeSync(descriptor),
      () => later.close(descriptor),
    );
  }

  link(existing: string, path: string): Result<void> {
    return this.#call(
      () => fs.linkSync(existing, path),
      () => later.link(existing, path),
    );
  }

  lstat(path: string): Result<fs.Stats> {
    return this.#call(
      () => fs.lstatSync(path),
      () => later.lstat(path),
    );
  }

  stat(path: string): Result<fs.Stats> {
    return this.#call(
      () => fs.statSync(path),
      () => later.stat(path),
    );
  }

  /** Whether there is something at `path`; nothing is where there can be nothing: below a file, or under too long a name. */
  exists(path: string): Result<boolean> {
    return this.#call(
      () => existsNow(path),
      () => unless(() => later.lstat(path), ...nothingThere),
    );
  }

  rename(from: string, to: string): Result<void> {
    return this.#call(
      () => fs.renameSync(from, to),
      () => later.rename(from, to),
    );
  }

  unlink(path: string): Result<void> {
    return this.#call(
      () => fs.unlinkSync(path),
      () => later.unlink(path),
    );
  }

  /** Reads into `buffer` from where the descriptor stands; gives the number of bytes. */
  read(descriptor: number, buffer: Uint8Array): Result<number> {
    return this.#call(
      () => fs.readSync(descriptor, buffer),
      () => readLater(descriptor, buffer, null),
    );
  }

  /** Reads into `buffer` from `position` on, never at once: for much that has to come from the disk. */
  readAside(descriptor: number, buffer: Uint8Array, position: number): Promise<number> {
    return readLater(descriptor, buffer, position);
  }

  /** Writes `buffers` at `position`; gives the number of bytes, which may be fewer. */
  writev(descriptor: number, buffers: readonly Uint8Array[], position: number): Result<number> {
    let length = 0;
    for (const buffer of buffers) length += buffer.length;
    const aside = (): Promise<number> => this.writevAside(descriptor, buffers, position);
    return length > smallWrite
      ? aside()
      : this.#call(() => fs.writevSync(descriptor, buffers, position), aside);
  }

  /** The same, never at once: where there is something else to do meanwhile. */
  writevAside(
    descriptor: number,
    buffers: readonly Uint8Array[],
    position: number,
  ): Promise<number> {
    return writevLater(descriptor, buffers, position);
  }

  /** Cuts a file off, never at once: the file system may have much to free. */
  truncate(descriptor: number, length: number): Promise<void> {
    return later.truncate(descriptor, length);
  }

  #call<T>(now: () => T, throughPool: () => Promise<T>): Result<T> {
    const start = performance.now();
    return this.#isLocal === undefined || start > this.#turnDueAt
      ? this.#callLater(now, throughPool)
      : this.#callHere(start, now, throughPool);
  }

  async #callLater<T>(now: () => T, throughPool: () => Promise<T>): Promise<T> {
    this.#isLocal ??= await this.#findOut();
    await turnOfTheLoop();
    const start = performance.now();
    this.#turnDueAt = start + turnMs;
    return this.#callHere(start, now, throughPool);
  }

  #callHere<T>(start: number, now: () => T, throughPool: () => Promise<T>): Result<T> {
    if (this.#isLocal !== true || start < this.#cautiousUntil) return throughPool();
    try {
      return now();
    } finally {
      const end = performance.now();
      if (end - start > slowMs) this.#noteSlowCall(start, end);
    }
  }

  #noteSlowCall(start: number, end: number): void {
    if (start - this.#lostSince > windowMs) {
      this.#lostSince = start;
      this.#lostMs = 0;
    }
    this.#lostMs += end - start;
    if (this.#lostMs >= lostLimitMs) this.#cautiousUntil = end + cautionMs;
  }

  /** What cannot be asked yet (the directory is missing) is asked again at the next call. */
  async #findOut(): Promise<boolean | undefined> {
    if (process.platform !== 'linux') return false;
    try {
      return localTypes.has((await later.statfs(this.#directory)).type);
    } catch {
      return undefined;
    }
  }
}
