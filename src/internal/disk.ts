import * as fs from 'node:fs';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { promisify } from 'node:util';

/**
 * Above this, in milliseconds, a call was no matter of memory: somebody waited for a disk, or for a processor. A
 * synchronous call holds up every request of the process meanwhile.
 */
const slowMs = 10;
/** So many slow calls within `slowWindowMs` are the disk's: a busy processor causes one now and then. */
const slowLimit = 3;
const slowWindowMs = 10_000;
/** For how long calls then go through the thread pool, in milliseconds. */
const cautionMs = 60_000;
/**
 * After so many calls the event loop gets its turn. Calls made at once leave nothing to wait for, so work that consists
 * of nothing else would keep sockets and timers out for as long as it lasts.
 */
const callsATurn = 64;
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
  unlink: promisify(fs.unlink),
};

// By hand: promisify makes an object of what these two call back with only where the runtime is Node.
function readLater(descriptor: number, buffer: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, buffer, 0, buffer.length, null, (error, bytesRead) =>
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

/**
 * Small calls to the file system that a directory is on.
 *
 * A trip through the thread pool costs 15 to 30 µs of CPU time, the call itself some 3 where the kernel has what it
 * needs in memory; an upload of a few KiB makes a dozen of them. So they are made at once on a local file system, for
 * as long as it answers at once: a few slow calls send all through the thread pool for a minute. Everything that
 * may take its time (large writes, fsync, listing) is not made here.
 *
 * The calls are those of the descriptor API: a `FileHandle` costs an object, a finalizer and more promises each time.
 */
export class Disk {
  readonly #directory: string;
  #isLocal: boolean | undefined;
  #cautiousUntil = 0;
  #slowCalls = 0;
  #calls = 0;
  #slowSince = -Infinity;

  /** @param directory need not exist yet */
  constructor(directory: string) {
    this.#directory = directory;
  }

  open(path: string, flags: number, mode?: number): Promise<number> {
    return this.#call(
      () => fs.openSync(path, flags, mode),
      () => later.open(path, flags, mode),
    );
  }

  close(descriptor: number): Promise<void> {
    return this.#call(
      () => fs.closeSync(descriptor),
      () => later.close(descriptor),
    );
  }

  link(existing: string, path: string): Promise<void> {
    return this.#call(
      () => fs.linkSync(existing, path),
      () => later.link(existing, path),
    );
  }

  lstat(path: string): Promise<fs.Stats> {
    return this.#call(
      () => fs.lstatSync(path),
      () => later.lstat(path),
    );
  }

  stat(path: string): Promise<fs.Stats> {
    return this.#call(
      () => fs.statSync(path),
      () => later.stat(path),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call(
      () => fs.renameSync(from, to),
      () => later.rename(from, to),
    );
  }

  unlink(path: string): Promise<void> {
    return this.#call(
      () => fs.unlinkSync(path),
      () => later.unlink(path),
    );
  }

  /** Reads into `buffer` from where the descriptor stands; resolves with the number of bytes. */
  read(descriptor: number, buffer: Uint8Array): Promise<number> {
    return this.#call(
      () => fs.readSync(descriptor, buffer),
      () => readLater(descriptor, buffer),
    );
  }

  /** Writes `buffers` at `position`; resolves with the number of bytes, which may be fewer. */
  writev(descriptor: number, buffers: readonly Uint8Array[], position: number): Promise<number> {
    const write = (): Promise<number> => writevLater(descriptor, buffers, position);
    let length = 0;
    for (const buffer of buffers) length += buffer.length;
    return length > smallWrite
      ? write()
      : this.#call(() => fs.writevSync(descriptor, buffers, position), write);
  }

  async #call<T>(now: () => T, throughPool: () => Promise<T>): Promise<T> {
    this.#isLocal ??= await this.#findOut();
    this.#calls += 1;
    if (this.#calls % callsATurn === 0) await turnOfTheLoop();
    const start = performance.now();
    if (!this.#isLocal || start < this.#cautiousUntil) return throughPool();
    try {
      return now();
    } finally {
      const end = performance.now();
      if (end - start > slowMs) this.#noteSlowCall(end);
    }
  }

  #noteSlowCall(now: number): void {
    if (now - this.#slowSince > slowWindowMs) {
      this.#slowSince = now;
      this.#slowCalls = 0;
    }
    this.#slowCalls += 1;
    if (this.#slowCalls >= slowLimit) this.#cautiousUntil = now + cautionMs;
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
