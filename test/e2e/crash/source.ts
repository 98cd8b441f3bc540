import { createCipheriv } from 'node:crypto';

/**
 * The bytes of an upload, the same for the same seed and number. They are a cipher's key stream, so that no two places are
 * alike, in one upload or in two.
 */
export function sourceBytes(seed: number, number: number, size: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeDoubleLE(seed);
  key.writeDoubleLE(number, 8);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}
