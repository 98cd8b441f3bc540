import type { ByteRange } from '../../core/data-store.js';

/** Bytes as the arrays they came in: appending copies nothing. The arrays must never be written again. */
export class ByteList {
  readonly #arrays: Uint8Array[] = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  push(array: Uint8Array): void {
    // An empty array would look like a chunk to a stream's reader.
    if (array.byteLength > 0) {
      this.#arrays.push(array);
      this.#byteLength += array.byteLength;
    }
  }

  /** Drops all bytes behind the first `length`. */
  truncate(length: number): void {
    while (this.#byteLength > length) {
      const last = this.#arrays.pop();
      if (last === undefined) return;
      this.#byteLength -= last.byteLength;
      if (this.#byteLength < length) this.push(last.subarray(0, length - this.#byteLength));
    }
  }

  append(list: ByteList): void {
    for (const array of list.#arrays) this.push(array);
  }

  /** Views of the bytes of `range`. Bytes that are appended while it is iterated do no harm. */
  *slices({ start, end }: ByteRange): Generator<Uint8Array> {
    let position = 0;
    for (const array of this.#arrays) {
      if (position >= end) return;
      const from = Math.max(start - position, 0);
      const slice = array.subarray(from, end - position);
      if (slice.byteLength > 0) yield slice;
      position += array.byteLength;
    }
  }
}
