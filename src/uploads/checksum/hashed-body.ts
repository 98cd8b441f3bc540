import type { Body, BodyEnd, StopReason } from '../../core/body.js';
import type { Hasher } from './hasher.js';

/** A body whose bytes are hashed on their way to the store. It ends where they cannot be. */
export class HashedBody implements Body {
  readonly #source: Body;
  readonly #hasher: Hasher;
  #failure: unknown;

  constructor(source: Body, hasher: Hasher) {
    this.#source = source;
    this.#hasher = hasher;
  }

  get endReason(): BodyEnd | undefined {
    return this.#source.endReason;
  }

  get trailers(): Readonly<Record<string, string>> | undefined {
    return this.#source.trailers;
  }

  /** Why the hasher broke down; undefined as long as it did not. */
  get failure(): unknown {
    return this.#failure;
  }

  stop(reason: StopReason): void {
    this.#source.stop(reason);
  }

  async next(): Promise<Uint8Array[] | null> {
    const batch = await this.#source.next();
    if (batch === null) return null;
    try {
      await this.#hasher.update(batch);
      return batch;
    } catch (error) {
      this.#failure = error;
      this.#source.stop('abandoned');
      return null;
    }
  }
}
