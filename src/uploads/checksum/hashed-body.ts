import type { Body } from '../../core/body.js';
import type { Hasher } from './hasher.js';
import { WrappedBody } from '../wrapped-body.js';

/** A body whose bytes are hashed on their way to the store. It ends where they cannot be. */
export class HashedBody extends WrappedBody {
  readonly #hasher: Hasher;
  #failure: unknown;

  constructor(source: Body, hasher: Hasher) {
    super(source);
    this.#hasher = hasher;
  }

  /** Why the hasher broke down; undefined as long as it did not. */
  get failure(): unknown {
    return this.#failure;
  }

  async next(): Promise<Uint8Array[] | null> {
    const batch = await this.source.next();
    if (batch === null) return null;
    try {
      await this.#hasher.update(batch);
      return batch;
    } catch (error) {
      this.#failure = error;
      this.source.stop('abandoned');
      return null;
    }
  }
}
