import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FileReader } from 'tus-js-client';

type Source = Awaited<ReturnType<FileReader['openFile']>>;
type Slice = Awaited<ReturnType<Source['slice']>>;

/**
 * Reads a file for an upload whose length is told at the end. tus-js-client's own reader knows only lengths that were
 * told at the beginning: it never says which slice is the last, and gives slices beyond the end their full size.
 */
export class FileSlices implements FileReader {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async openFile(): Promise<Source> {
    const path = this.#path;
    const { size } = await stat(path);
    const slice = (start: number, end: number): Promise<Slice> => {
      const last = Math.min(end, size);
      const stream = createReadStream(path, { start, end: last - 1 });
      return Promise.resolve({
        value: Object.assign(stream, { size: last - start }),
        done: last === size,
      });
    };
    return { size, slice, close: () => undefined };
  }
}
