import type { Slots } from './slots.js';
import type { StoredPart } from './multipart-uploads.js';

interface Sent {
  readonly number: number;
  readonly size: number;
  /** Undefined until S3 has it. */
  stored: StoredPart | undefined;
}

interface PartsOptions {
  readonly slots: Slots;
  readonly maxInFlight: number;
  /** Ends the wait for a slot: other uploads' parts may have all of them. */
  readonly signal: AbortSignal | undefined;
}

/** The parts that one writer has sent, in order, and what became of them. */
export class PartsOnTheirWay {
  readonly #sent: Sent[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #options: PartsOptions;
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: PartsOptions) {
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

  /** Counts those, too, of which S3 has told nobody that it has them. Others may have seen them already. */
  recognize(listed: readonly StoredPart[]): void {
    for (const part of this.#sent) {
      part.stored ??= listed.find(
        ({ number, size }) => number === part.number && size === part.size,
      );
    }
  }

  /** Sends part `number` of `size` bytes by `put`. `whenDone` is called in any case, also where `put` never is. */
  send(
    { number, size }: Pick<StoredPart, 'number' | 'size'>,
    put: () => Promise<StoredPart>,
    whenDone?: () => void,
  ): void {
    const part: Sent = { number, size, stored: undefined };
    this.#sent.push(part);
    this.#bytes += size;
    const { slots, signal } = this.#options;
    const sending = slots
      .during(signal, async () => {
        part.stored = await put();
      })
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#running.delete(sending);
        whenDone?.();
      });
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
