/** Bytes of a buffer that is begun with: most requests bring less. */
const firstBytes = 256 * 1024;
/** Buffers that are kept for the next part: what is given back and taken again costs no page of memory anew. */
const keptBuffers = 4;

/**
 * Memory for parts on their way from the socket to S3. Its buffers are used again: left to the garbage collector, those of
 * parts that S3 has already would pile up.
 */
export class PartBuffers {
  readonly #bytes: number;
  readonly #free: Buffer[] = [];

  /** @param bytes of the buffers that are used again */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(bytes: number): Buffer {
    if (bytes > this.#bytes) return Buffer.allocUnsafeSlow(bytes);
    if (bytes <= firstBytes) return Buffer.allocUnsafeSlow(bytes);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  /** Nobody may look at `buffer` any more. */
  give(buffer: Buffer): void {
    if (buffer.byteLength === this.#bytes && this.#free.length < keptBuffers) {
      this.#free.push(buffer);
    }
  }

  /** An empty buffer that takes up to `bytes`. */
  filling(bytes: number): FillingBuffer {
    return new FillingBuffer(this, bytes);
  }
}

/** A buffer that is filled bit by bit, small until it is known to become large. */
export class FillingBuffer {
  readonly #buffers: PartBuffers;
  readonly #maxBytes: number;
  #buffer: Buffer;
  #length = 0;

  constructor(buffers: PartBuffers, maxBytes: number) {
    this.#buffers = buffers;
    this.#maxBytes = maxBytes;
    this.#buffer = buffers.take(Math.min(maxBytes, firstBytes));
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.byteLength).set(bytes);
  }

  /** The next `bytes` bytes, to be filled by the caller. */
  reserve(bytes: number): Uint8Array {
    const start = this.#length;
    if (start + bytes > this.#buffer.byteLength) this.#grow();
    this.#length += bytes;
    return this.#buffer.subarray(start, this.#length);
  }

  free(): void {
    this.#buffers.give(this.#buffer);
  }

  #grow(): void {
    const larger = this.#buffers.take(this.#maxBytes);
    larger.set(this.bytes);
    this.free();
    this.#buffer = larger;
  }
}

/** Lets at most so many things happen at once, in the order in which they asked. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
