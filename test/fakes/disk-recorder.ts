import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, sep } from 'node:path';

/** Something that was done to the files of a directory. `inode` numbers files in the order in which they were made. */
export type DiskEvent =
  | { readonly kind: 'make-file' | 'link'; readonly path: string; readonly inode: number }
  | {
      readonly kind: 'rename';
      readonly from: string;
      readonly path: string;
      readonly inode: number;
    }
  | { readonly kind: 'unlink' | 'make-folder' | 'remove-folder'; readonly path: string }
  | {
      readonly kind: 'write';
      readonly inode: number;
      readonly position: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: 'truncate'; readonly inode: number; readonly size: number }
  | { readonly kind: 'sync-file'; readonly inode: number }
  | { readonly kind: 'sync-folder'; readonly path: string };

/** Tells, once a call has succeeded, what it did; `result` is what it gave. */
type After = (result: unknown) => readonly DiskEvent[];
/** Looks at a call that is about to be made; undefined where it is nobody's business. */
type Before = (args: readonly unknown[]) => After | undefined;

/** Calls that change files, and that this recorder cannot describe: who makes one below its directory must teach it. */
const unknownCalls = ['copyFile', 'cp', 'rm', 'symlink', 'truncate', 'write', 'writeFile'];

/**
 * Writes down what this process does to the files below a directory, call by call. To be made before modules are loaded that
 * keep functions of `node:fs` for themselves.
 */
export class DiskRecorder {
  readonly events: DiskEvent[] = [];
  /** Below which it writes down; undefined while it does not. */
  #directory: string | undefined;
  /** Numbers of the files that are there, by those of the file system, which uses its own again. */
  readonly #numbers = new Map<bigint, number>();
  readonly #openPaths = new Map<unknown, string>();
  #count = 0;

  constructor() {
    const calls: Readonly<Record<string, Before>> = {
      open: (args) => this.#open(args),
      close: ([descriptor]) => this.#close(descriptor),
      writev: (args) => this.#writev(args),
      ftruncate: ([descriptor, size]) => this.#ftruncate(descriptor, size),
      fsync: ([descriptor]) => this.#sync(descriptor),
      fdatasync: ([descriptor]) => this.#sync(descriptor),
      link: ([from, path]) =>
        this.#at(path, (path) => [{ kind: 'link', path, inode: this.#inodeAt(from) }]),
      rename: ([from, path]) => this.#rename(from, path),
      unlink: ([path]) => this.#at(path, (path) => [{ kind: 'unlink', path }]),
      rmdir: ([path]) => this.#at(path, (path) => [{ kind: 'remove-folder', path }]),
      mkdir: ([path]) => this.#mkdir(path),
      appendFile: ([path, text]) => this.#appendFile(path, text),
    };
    for (const name of unknownCalls) watch(name, (args) => this.#refuse(name, args));
    for (const [name, before] of Object.entries(calls)) {
      watch(name, (args) => {
        const after = before(args);
        return after && ((result) => void this.events.push(...after(result)));
      });
    }
    syncBuiltinESMExports();
  }

  /** Begins anew, with a directory that is there and empty. */
  record(directory: string): void {
    this.#directory = directory;
    this.events.length = 0;
    this.#numbers.clear();
    this.#openPaths.clear();
    this.#count = 0;
  }

  stop(): void {
    this.#directory = undefined;
  }

  #open([path, flags]: readonly unknown[]): After | undefined {
    if (!this.#isOurs(path) || typeof flags !== 'number') return undefined;
    const isNew = (flags & fs.constants.O_CREAT) !== 0 && !fs.existsSync(path);
    const empties = (flags & fs.constants.O_TRUNC) !== 0;
    return (descriptor) => {
      this.#openPaths.set(descriptor, path);
      if (isNew) return [{ kind: 'make-file', path, inode: this.#number(path) }];
      return empties ? [{ kind: 'truncate', inode: this.#inodeAt(path), size: 0 }] : [];
    };
  }

  #close(descriptor: unknown): undefined {
    this.#openPaths.delete(descriptor);
  }

  #writev([descriptor, buffers, position]: readonly unknown[]): After | undefined {
    const path = this.#openPaths.get(descriptor);
    if (path === undefined) return undefined;
    if (!isBuffers(buffers) || typeof position !== 'number') throw new TypeError('writev()');
    const bytes = Buffer.concat(buffers);
    const inode = this.#inodeOf(descriptor);
    return (count) => [{ kind: 'write', inode, position, bytes: bytes.subarray(0, Number(count)) }];
  }

  #appendFile(path: unknown, text: unknown): After | undefined {
    if (!this.#isOurs(path)) return undefined;
    const position = fs.statSync(path, { throwIfNoEntry: false })?.size;
    return () => {
      const inode = position === undefined ? this.#number(path) : this.#inodeAt(path);
      const made: DiskEvent[] = position === undefined ? [{ kind: 'make-file', path, inode }] : [];
      const bytes = Buffer.from(String(text));
      return [...made, { kind: 'write', inode, position: position ?? 0, bytes }];
    };
  }

  #ftruncate(descriptor: unknown, size: unknown): After | undefined {
    if (!this.#openPaths.has(descriptor)) return undefined;
    const inode = this.#inodeOf(descriptor);
    return () => [{ kind: 'truncate', inode, size: Number(size ?? 0) }];
  }

  #sync(descriptor: unknown): After | undefined {
    const path = this.#openPaths.get(descriptor);
    if (path === undefined) return undefined;
    if (fs.statSync(path).isDirectory()) return () => [{ kind: 'sync-folder', path }];
    const inode = this.#inodeOf(descriptor);
    return () => [{ kind: 'sync-file', inode }];
  }

  #rename(from: unknown, path: unknown): After | undefined {
    if (!this.#isOurs(path) || typeof from !== 'string') return undefined;
    const inode = this.#inodeAt(from);
    return () => [{ kind: 'rename', from, path, inode }];
  }

  #mkdir(path: unknown): After | undefined {
    if (!this.#isOurs(path)) return undefined;
    const missing: string[] = [];
    for (let folder = path; !fs.existsSync(folder); folder = dirname(folder)) {
      missing.unshift(folder);
    }
    return () => missing.map((path) => ({ kind: 'make-folder', path }));
  }

  #refuse(name: string, [target]: readonly unknown[]): undefined {
    if (this.#isOurs(target) || this.#openPaths.has(target))
      throw new Error(`${name}() is unknown`);
  }

  #at(path: unknown, describe: (path: string) => readonly DiskEvent[]): After | undefined {
    return this.#isOurs(path) ? () => describe(path) : undefined;
  }

  #isOurs(path: unknown): path is string {
    if (this.#directory === undefined || typeof path !== 'string') return false;
    return `${path}${sep}`.startsWith(`${this.#directory}${sep}`);
  }

  #number(path: string): number {
    this.#count += 1;
    this.#numbers.set(fs.lstatSync(path, { bigint: true }).ino, this.#count);
    return this.#count;
  }

  #inodeAt(path: unknown): number {
    return this.#numbered(fs.lstatSync(String(path), { bigint: true }).ino);
  }

  #inodeOf(descriptor: unknown): number {
    return this.#numbered(fs.fstatSync(Number(descriptor), { bigint: true }).ino);
  }

  #numbered(ino: bigint): number {
    const number = this.#numbers.get(ino);
    if (number === undefined) throw new Error('A file that nobody saw being made');
    return number;
  }
}

/** Calls `before` for each call of the three functions of that name, and what it gives after one that succeeds. */
function watch(
  name: string,
  before: (args: readonly unknown[]) => ((result: unknown) => void) | undefined,
): void {
  replace(fs, `${name}Sync`, (call, args) => {
    const after = before(args);
    const result = call(args);
    after?.(result);
    return result;
  });
  replace(fs, name, (call, args) => {
    const after = before(args);
    const callback = args.at(-1);
    if (after === undefined || typeof callback !== 'function') return call(args);
    const noted = (error: unknown, ...results: unknown[]): unknown => {
      if (!error) after(results[0]);
      return Reflect.apply(callback, undefined, [error, ...results]);
    };
    return call([...args.slice(0, -1), noted]);
  });
  replace(fs.promises, name, async (call, args) => {
    const after = before(args);
    const result = await call(args);
    after?.(result);
    return result;
  });
}

type Call = (args: readonly unknown[]) => unknown;

function replace(
  owner: object,
  name: string,
  call: (original: Call, args: readonly unknown[]) => unknown,
): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') return;
  const replacement = function (this: unknown, ...args: unknown[]): unknown {
    return call((args) => Reflect.apply(original, this, args), args);
  };
  Reflect.set(owner, name, replacement);
}

function isBuffers(value: unknown): value is Uint8Array[] {
  return Array.isArray(value) && value.every((item) => item instanceof Uint8Array);
}
