import type { Body, BodyEnd, StopReason } from '../core/body.js';

/** What a {@link MemoryBody} hands out: a batch for each `next()`. */
export type BodySource = Iterable<Uint8Array[]> | AsyncIterable<Uint8Array[]>;

/** How a body comes and ends. */
export interface MemoryBodyOptions {
  /** How it ends after its last byte. Default: `complete`. */
  readonly end?: BodyEnd;
  /** Bytes after which it ends, whatever the source still has. Default: all of them. */
  readonly endAfterBytes?: number;
  /** The client falls silent after the last byte: `next()` waits until `stop()`. */
  readonly stall?: boolean;
  /** Trailer fields; none by default. */
  readonly trailers?: Readonly<Record<string, string>>;
}

/**
 * A {@link Body} without a client, for tests. Strict: two `next()` at once, which the contract forbids, are an error.
 *
 * A batch arrives when `next()` asks for it; so after `stop()` there is nothing left to hand out, whatever the reason.
 */
export class MemoryBody implements Body {
  readonly trailers: Readonly<Record<string, string>> | undefined;
  /** Resolves once everything was handed out and more was asked for: a body that stalls waits now. */
  readonly drained: Promise<void>;
  readonly #source: AsyncGenerator<Uint8Array[]>;
  readonly #end: BodyEnd;
  readonly #stall: boolean;
  readonly #stopped: Promise<null>;
  #onStop: (end: null) => void = () => undefined;
  #onDrained: () => void = () => undefined;
  #left: number;
  #endReason: BodyEnd | undefined;
  #asked = false;

  constructor(source: BodySource, options: MemoryBodyOptions = {}) {
    this.#source = batchesOf(source);
    this.#end = options.end ?? 'complete';
    this.#stall = options.stall ?? false;
    this.#left = options.endAfterBytes ?? Infinity;
    this.trailers = options.trailers;
    this.#stopped = new Promise((resolve) => (this.#onStop = resolve));
    this.drained = new Promise((resolve) => (this.#onDrained = resolve));
  }

  get endReason(): BodyEnd | undefined {
    return this.#endReason;
  }

  async next(): Promise<Uint8Array[] | null> {
    if (this.#asked) throw new Error('two calls of next() at once');
    this.#asked = true;
    try {
      if (this.#endReason !== undefined) return null;
      return await Promise.race([this.#stopped, this.#pull()]);
    } finally {
      this.#asked = false;
    }
  }

  stop(reason: StopReason): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#onStop(null);
    // Not awaited: a source that waits for something may never get to its end.
    void this.#source.return(undefined).catch(() => undefined);
  }

  async #pull(): Promise<Uint8Array[] | null> {
    const result = this.#left > 0 ? await this.#source.next() : undefined;
    if (result !== undefined && result.done !== true) return this.#cut(result.value);
    this.#onDrained();
    if (this.#stall) return this.#stopped;
    this.#endReason ??= this.#end;
    return null;
  }

  #cut(batch: Uint8Array[]): Uint8Array[] {
    const cut: Uint8Array[] = [];
    for (const array of batch) {
      const slice = array.subarray(0, this.#left);
      this.#left -= slice.byteLength;
      cut.push(slice);
    }
    return cut;
  }
}

/** The batches of `source` that hold a byte: a body never hands out an empty one. */
async function* batchesOf(source: BodySource): AsyncGenerator<Uint8Array[]> {
  for await (const batch of source) {
    if (batch.some((array) => array.byteLength > 0)) yield batch;
  }
}

/** A body that arrives whole, each array by itself. */
export function bodyOf(...arrays: Uint8Array[]): MemoryBody {
  return new MemoryBody(arrays.map((array) => [array]));
}
