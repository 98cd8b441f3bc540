import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const everyMs = 50;

/** Looks again and again how much lies in a folder. */
export class PeakOfFiles {
  /** The most that was seen. */
  bytes = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(folder: string) {
    this.#timer = setInterval(() => {
      this.bytes = Math.max(this.bytes, bytesIn(folder));
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function bytesIn(folder: string): number {
  return readdirSync(folder)
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}
