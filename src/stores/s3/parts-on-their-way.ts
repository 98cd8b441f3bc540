import type { Slots } from './slots.js';
import type { StoredPart } from './s3-bucket.js';

interface Sent {
  readonly size: number;
  /** Undefined until S3 has it. */
  stored: StoredPart | undefined;
}

/** The parts that one writer has sent, in order, and what became of them. */
export class PartsOnTheirWay {
  readonly #sent: Sent[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #options: { readonly slots: Slots; readonly maxInFlight: number };
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: { readonly slots: Slots; readonly maxInFlight: number }) {
    this.#options = options;
  }

  /** Bytes of all parts, stored or not. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Those that S3 has, up to the first that it has not. */
  get stored(): StoredPart[] {
    const stored: StoredPart[] = [];
    for (const part of this.#sent) {
      if (part.stored === undefined) break;
      stored.push(part.stored);
    }
    return stored;
  }

  /** Some part is not stored, or was stored behind one that is not. */
  get hasGap(): boolean {
    return this.#sent.some(({ stored }) => stored === undefined);
  }

  /**
   * Waits until another part may be sent.
   * @throws what a part has failed with
   */
  async room(): Promise<void> {
    while (this.#running.size >= this.#options.maxInFlight) await Promise.race(this.#running);
    this.throwFailure();
  }

  /** Sends a part of `size` bytes by `put`. */
  send(size: number, put: () => Promise<StoredPart>): void {
    const part: Sent = { size, stored: undefined };
    this.#sent.push(part);
    this.#bytes += size;
    const sending = this.#options.slots
      .during(async () => {
        part.stored = await put();
      })
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(sending));
    this.#running.add(sending);
  }

  /** Waits until nothing is on its way any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
