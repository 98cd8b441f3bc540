/** Bytes of a buffer that is begun with: most requests bring no more, and slow clients take long to bring as much. */
const firstBytes = 256 * 1024;
/** Buffers that are kept for the next part: what is given back and taken again costs no page of memory anew. */
const keptBuffers = 4;
/** How long somebody waits for memory before those who have it and do nothing are asked to store what they hold. */
const patienceMs = 250;

const none = Buffer.alloc(0);

/** Somebody who holds bytes until more arrive, and could store them instead. */
export interface Holder {
  /** When bytes came last, in milliseconds of the process's clock. */
  readonly lastBytesAt: number;
  /** Memory is short: store what is held. */
  letGo(): void;
}

interface Waiter {
  readonly bytes: number;
  enter(): void;
}

/**
 * Memory for parts on their way from the socket to S3, for all uploads of a store. Its buffers are used again: left to the
 * garbage collector, those of parts that S3 has already would pile up.
 *
 * Beyond a bound, whoever wants more waits until others are done; and where those wait for their clients, they are asked to
 * store what they have. So slow and silent clients keep nobody else from uploading.
 */
export class PartBuffers {
  readonly #bytes: number;
  readonly #maxBytes: number;
  readonly #free: Buffer[] = [];
  readonly #holders = new Set<Holder>();
  readonly #waiting = new Set<Waiter>();
  #used = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param bytes of the buffers that are used again: those of a part
   * @param maxBytes of all buffers together, but for the small ones that uploads begin with
   */
  constructor(bytes: number, maxBytes: number) {
    this.#bytes = bytes;
    this.#maxBytes = maxBytes;
  }

  /** Whether `bytes` more keep to the bound at this moment. */
  hasRoom(bytes: number): boolean {
    return this.#waiting.size === 0 && this.#keepsBound(bytes);
  }

  /**
   * Takes a buffer as soon as that keeps to the bound, first come, first served. Nobody may wait who holds a part that is not
   * on its way: then all could wait for each other.
   * @throws the signal's reason
   */
  async takeInTurn(bytes: number, signal: AbortSignal | undefined): Promise<Buffer> {
    if (this.hasRoom(bytes)) return this.take(bytes);
    signal?.throwIfAborted();
    return new Promise<Buffer>((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        enter: () => {
          leave();
          resolve(this.take(bytes));
        },
      };
      const abort = (): void => {
        leave();
        reject(signal?.reason);
        // Those behind may need less.
        this.#letIn();
      };
      const leave = (): void => {
        this.#waiting.delete(waiter);
        signal?.removeEventListener('abort', abort);
      };
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', abort);
      this.#timer ??= setInterval(() => this.#press(), patienceMs);
    });
  }

  /** Takes a buffer in any case. */
  take(bytes: number): Buffer {
    if (bytes <= firstBytes) return Buffer.allocUnsafeSlow(bytes);
    const kept = bytes === this.#bytes ? this.#free.pop() : undefined;
    const buffer = kept ?? Buffer.allocUnsafeSlow(bytes);
    this.#used += buffer.byteLength;
    return buffer;
  }

  /** Nobody may look at `buffer` any more. */
  give(buffer: Buffer): void {
    if (buffer.byteLength <= firstBytes) return;
    this.#used -= buffer.byteLength;
    if (buffer.byteLength === this.#bytes && this.#free.length < keptBuffers) {
      this.#free.push(buffer);
    }
    this.#letIn();
  }

  /** An empty buffer that takes up to `bytes`. */
  filling(bytes: number): FillingBuffer {
    return new FillingBuffer(this, bytes);
  }

  /** `holder` waits for its client. Returns what ends that. */
  hold(holder: Holder): () => void {
    this.#holders.add(holder);
    return () => void this.#holders.delete(holder);
  }

  /** A part that is larger than the bound has to go alone. */
  #keepsBound(bytes: number): boolean {
    return this.#used + bytes <= this.#maxBytes || this.#used === 0;
  }

  #letIn(): void {
    for (const waiter of this.#waiting) {
      if (!this.#keepsBound(waiter.bytes)) return;
      waiter.enter();
    }
  }

  /** Asks the one that has waited longest for its client. */
  #press(): void {
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else if (this.#holders.size > 0) {
      const idlest = (a: Holder, b: Holder): Holder => (b.lastBytesAt < a.lastBytesAt ? b : a);
      [...this.#holders].reduce(idlest).letGo();
    }
  }
}

/** A buffer that is filled bit by bit, small until it is known to become large. */
export class FillingBuffer {
  readonly #buffers: PartBuffers;
  readonly maxBytes: number;
  #buffer: Buffer;
  #length = 0;

  constructor(buffers: PartBuffers, maxBytes: number) {
    this.#buffers = buffers;
    this.maxBytes = maxBytes;
    this.#buffer = buffers.take(Math.min(maxBytes, firstBytes));
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes until it is a whole part. */
  get missing(): number {
    return this.maxBytes - this.#length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Whether `bytes` more fit without {@link moveTo}. */
  fits(bytes: number): boolean {
    return this.#length + bytes <= this.#buffer.byteLength;
  }

  /** Moves to a larger buffer, one of {@link maxBytes}. */
  moveTo(larger: Buffer): void {
    larger.set(this.bytes);
    this.#buffers.give(this.#buffer);
    this.#buffer = larger;
  }

  /**
   * Makes room for so many bytes before what is there, and gives it to be filled.
   * @throws RangeError where they do not fit
   */
  prepend(bytes: number): Buffer {
    this.#buffer.set(this.bytes, bytes);
    this.#length += bytes;
    return this.#buffer.subarray(0, bytes);
  }

  append(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  /** Whether it takes memory that is counted. */
  get isGrown(): boolean {
    return this.#buffer.byteLength > firstBytes;
  }

  /** Gives the memory back. What was in it may not be looked at any more. */
  free(): void {
    this.#buffers.give(this.#buffer);
    this.#buffer = none;
    this.#length = 0;
  }
}
