import { createHash, type Hash } from 'node:crypto';
import * as zlib from 'node:zlib';
import { type ChecksumAlgorithm, checksumAlgorithms } from '../../core/checksum.js';
import { type Crc32, tableCrc } from './table-crc.js';

/** A digest that bytes are added to. */
export interface Digest {
  update(bytes: Uint8Array): void;
  /** Of all bytes; once, and nothing is added afterwards. */
  digest(): Uint8Array;
}

let crc32c: Crc32 | undefined;
let crc32: Crc32 | undefined;

/** @throws where the runtime does not have the algorithm */
export function createDigest(algorithm: ChecksumAlgorithm): Digest {
  if (algorithm === 'crc32c') return new CrcDigest((crc32c ??= tableCrc(0x82f6_3b78)));
  if (algorithm !== 'crc32') return new HashDigest(createHash(algorithm));
  // Not every runtime has it.
  crc32 ??= 'crc32' in zlib ? zlib.crc32 : tableCrc(0xedb8_8320);
  return new CrcDigest(crc32);
}

/** The algorithms that this runtime has: under FIPS, for example, there is no md5. */
export function availableAlgorithms(): readonly ChecksumAlgorithm[] {
  available ??= checksumAlgorithms.filter((algorithm) => {
    try {
      createDigest(algorithm);
      return true;
    } catch {
      return false;
    }
  });
  return available;
}
let available: readonly ChecksumAlgorithm[] | undefined;

class HashDigest implements Digest {
  readonly #hash: Hash;

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Uint8Array {
    return this.#hash.digest();
  }
}

class CrcDigest implements Digest {
  readonly #crc: Crc32;
  #value = 0;

  constructor(crc: Crc32) {
    this.#crc = crc;
  }

  update(bytes: Uint8Array): void {
    this.#value = this.#crc(bytes, this.#value);
  }

  digest(): Uint8Array {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, this.#value);
    return bytes;
  }
}
