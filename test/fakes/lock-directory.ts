import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileLocker, type FileLockerOptions } from '../../dist/lockers/file/file-locker.js';
import type { Lock } from '../../dist/core/locker.js';

/** An upload directory for one test, and the lockers in it. */
export class LockDirectory {
  readonly path: string;
  readonly #lockers: FileLocker[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<LockDirectory> {
    return new LockDirectory(await mkdtemp(join(tmpdir(), 'tuskd-locks-')));
  }

  locker(options: Omit<FileLockerOptions, 'directory'> = {}): FileLocker {
    const made = new FileLocker({ directory: this.path, ...options });
    this.#lockers.push(made);
    return made;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Puts a file there, `ageMs` old. */
  async put(name: string, text: string, ageMs = 0): Promise<void> {
    await writeFile(this.file(name), text);
    const time = new Date(Date.now() - ageMs);
    await utimes(this.file(name), time, time);
  }

  /** What a lock file contains: line 1, and line 2 as far as it is ours. */
  async read(name: string): Promise<{ pid: string; address: Record<string, unknown> }> {
    const [pid = '', line = '{}'] = (await readFile(this.file(name), 'utf8')).split('\n');
    return { pid, address: { ...JSON.parse(line) } };
  }

  /** The lock file that a process of this host has left, which lives no more; or `changes` of it. */
  async corpse(changes: Record<string, unknown> = {}, pid = 1): Promise<string> {
    const locker = this.locker();
    const lock = await take(locker, 'template');
    const { address } = await this.read('template.lock');
    await lock.unlock();
    await locker.close();
    const nonce = 'dead'.repeat(8);
    const endpoint = `\0tuskd-${nonce}`;
    return `${pid}\n${JSON.stringify({ ...address, nonce, endpoint, ...changes })}\n`;
  }

  /** Everything in it, folders included. */
  async names(): Promise<string[]> {
    return (await readdir(this.path, { recursive: true })).sort();
  }

  async remove(): Promise<void> {
    await Promise.all(this.#lockers.map((locker) => locker.close()));
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Takes a lock, or fails after a while. */
export function take(
  locker: FileLocker,
  id: string,
  requestRelease: () => void = () => undefined,
): Promise<Lock> {
  return locker.lock(id, { signal: AbortSignal.timeout(5000), requestRelease });
}
