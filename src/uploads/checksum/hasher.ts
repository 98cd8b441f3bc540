import type { ChecksumAlgorithm } from '../../core/checksum.js';
import { createDigest, type Digest } from './digest.js';

/** Computes digests of the bytes of one body, in this thread or aside. */
export interface Hasher {
  /**
   * Adds bytes; the arrays stay the caller's. To be awaited before the next call: where hashing is slower than the
   * network, it takes as long as that. Rejects where the hasher has broken down.
   */
  update(batch: readonly Uint8Array[]): Promise<void> | undefined;
  /** Of all bytes, with one of the algorithms that the hasher was made for; once. */
  digest(algorithm: ChecksumAlgorithm): Promise<Uint8Array> | Uint8Array;
  /** Nobody will ask for anything any more. */
  close(): void;
}

/** Hashes at once, in the thread that it is called in. */
export class LocalHasher implements Hasher {
  readonly #digests: ReadonlyMap<ChecksumAlgorithm, Digest>;

  constructor(algorithms: readonly ChecksumAlgorithm[]) {
    this.#digests = new Map(algorithms.map((name) => [name, createDigest(name)]));
  }

  update(batch: readonly Uint8Array[]): undefined {
    for (const digest of this.#digests.values()) {
      for (const bytes of batch) digest.update(bytes);
    }
  }

  digest(algorithm: ChecksumAlgorithm): Uint8Array {
    const digest = this.#digests.get(algorithm);
    if (digest === undefined) throw new TypeError(`this hasher computes no ${algorithm}`);
    return digest.digest();
  }

  close(): void {
    // What it holds goes with it.
  }
}
