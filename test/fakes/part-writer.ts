import type { PartBucket } from './part-bucket.js';
import { tailKey } from './part-record.js';

export interface PartWriterOptions {
  readonly bucket: PartBucket;
  readonly object: string;
  readonly multipart: string;
  /** Bytes in parts so far. */
  readonly partBytes: number;
  /** Number of the next part. */
  readonly nextNumber: number;
  /** The bytes behind the last part that are stored already. */
  readonly tail: Uint8Array;
  readonly signal: AbortSignal | undefined;
  /** Throws where this writer may write no more. */
  readonly assertAllowed: () => Promise<void>;
}

/** How many parts are on their way at once: enough for a later one to arrive while an earlier one fails. */
const maxInFlight = 4;

/** Cuts a chunk into parts, uploads several at once, and knows how many bytes are stored without a gap. */
export class PartWriter {
  readonly #options: PartWriterOptions;
  readonly #waiting: Uint8Array[];
  #waitingBytes: number;
  #nextNumber: number;
  /** Sizes of the parts of this chunk in order, and whether each is there. */
  readonly #sent: { readonly size: number; stored: boolean }[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #tailStored = 0;

  constructor(options: PartWriterOptions) {
    this.#options = options;
    this.#waiting = [options.tail];
    this.#waitingBytes = options.tail.byteLength;
    this.#nextNumber = options.nextNumber;
    this.#tailStored = options.tail.byteLength;
  }

  /** End of the bytes that are stored without a gap. */
  get offset(): number {
    const firstMissing = this.#sent.findIndex(({ stored }) => !stored);
    const stored = firstMissing === -1 ? this.#sent : this.#sent.slice(0, firstMissing);
    const bytes = stored.reduce((sum, { size }) => sum + size, 0);
    // Until a part covers it, or a new one takes its place, the old tail counts.
    return this.#options.partBytes + Math.max(bytes, this.#tailStored);
  }

  async write(arrays: readonly Uint8Array[]): Promise<void> {
    for (const array of arrays) {
      this.#waiting.push(array);
      this.#waitingBytes += array.byteLength;
    }
    while (this.#waitingBytes >= this.#options.bucket.minPartBytes) {
      await this.#options.assertAllowed();
      this.#send(this.#cut(this.#options.bucket.minPartBytes));
      while (this.#inFlight.size >= maxInFlight) await Promise.race(this.#inFlight);
      this.#throwFailure();
    }
  }

  /** Keeps what is too small for a part. */
  async end(): Promise<void> {
    await this.settle();
    this.#throwFailure();
    await this.#options.assertAllowed();
    const { bucket, object, partBytes, signal } = this.#options;
    const bytes = this.#sent.reduce((sum, { size }) => sum + size, 0);
    const tail = this.#cut(this.#waitingBytes);
    if (tail.byteLength === 0) return bytes > 0 ? bucket.deleteObject(tailKey(object)) : undefined;
    if (bytes === 0 && tail.byteLength === this.#tailStored) return;
    const meta = { start: String(partBytes + bytes) };
    await bucket.putObject(tailKey(object), tail, { meta, ...(signal && { signal }) });
    this.#tailStored = bytes + tail.byteLength;
  }

  /** Waits until nothing is on its way any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  #send(bytes: Uint8Array): void {
    const { bucket, multipart, signal } = this.#options;
    const part = { size: bytes.byteLength, stored: false };
    this.#sent.push(part);
    const sending = bucket
      .uploadPart(multipart, this.#nextNumber++, bytes, signal)
      .then(() => void (part.stored = true))
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  #cut(length: number): Uint8Array {
    const bytes = Buffer.concat(this.#waiting);
    const rest = bytes.subarray(length);
    this.#waiting.splice(0, Infinity, rest);
    this.#waitingBytes = rest.byteLength;
    return bytes.subarray(0, length);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
