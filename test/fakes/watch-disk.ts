import { AsyncLocalStorage } from 'node:async_hooks';
import { writevSync } from 'node:fs';
import { Disk } from '../../dist/internal/disk.js';

/** One call to the file system that a store is about to make. */
export interface DiskCall {
  readonly name: string;
  readonly args: readonly unknown[];
  /** Makes it. */
  readonly run: () => unknown;
}

/** Stands between a store and its disk. */
export type Watcher = (call: DiskCall) => unknown;

const watchers = new AsyncLocalStorage<Watcher>();
let installed = false;

/** Does `work`; every small call to the file system that it makes goes through `watcher`, and nobody else's. */
export function watchDisk<T>(watcher: Watcher, work: () => Promise<T>): Promise<T> {
  if (!installed) install();
  return watchers.run(watcher, work);
}

function install(): void {
  installed = true;
  for (const name of Object.getOwnPropertyNames(Disk.prototype)) {
    const real: unknown = Reflect.get(Disk.prototype, name);
    if (name === 'constructor' || typeof real !== 'function') continue;
    Reflect.set(Disk.prototype, name, function (this: Disk, ...args: unknown[]): unknown {
      const watcher = watchers.getStore();
      // What one method of the disk asks of another is one call.
      const run = (): unknown => watchers.exit(() => Reflect.apply(real, this, args));
      return watcher === undefined ? run() : watcher({ name, args, run });
    });
  }
}

/** What a process that is killed at its call number `fatal` (from 0) does: of a write, the first half is done. */
export class DyingProcess {
  readonly #fatal: number;
  #calls = 0;

  constructor(fatal: number) {
    this.#fatal = fatal;
  }

  get hasDied(): boolean {
    return this.#calls > this.#fatal;
  }

  readonly watch: Watcher = ({ name, args, run }) => {
    // Whatever it tries behind its end, only the descriptors are given back, as the kernel does.
    if (this.hasDied) return name === 'close' ? run() : fail();
    this.#calls += 1;
    if (!this.hasDied) return run();
    if (name.startsWith('writev')) writeHalf(args);
    if (name === 'close') run();
    return fail();
  };
}

function fail(): never {
  throw new Error('killed');
}

function writeHalf([descriptor, buffers, position]: readonly unknown[]): void {
  if (typeof descriptor !== 'number' || typeof position !== 'number' || !Array.isArray(buffers)) {
    throw new TypeError('not the arguments of writev()');
  }
  const all = Buffer.concat(buffers);
  writevSync(descriptor, [all.subarray(0, all.length >> 1)], position);
}
