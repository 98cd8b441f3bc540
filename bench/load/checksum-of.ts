import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** The value of an Upload-Checksum header for a body that is sent in `pieces`. */
export function checksumOf(algorithm: string, pieces: Iterable<Uint8Array>): string {
  return `${algorithm} ${digest(algorithm, pieces).toString('base64')}`;
}

function digest(algorithm: string, pieces: Iterable<Uint8Array>): Buffer {
  if (algorithm === 'crc32') return crc(pieces, crc32);
  if (algorithm === 'crc32c') return crc(pieces, crc32c);
  const hash = createHash(algorithm);
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

function crc(
  pieces: Iterable<Uint8Array>,
  step: (bytes: Uint8Array, value: number) => number,
): Buffer {
  let value = 0;
  for (const piece of pieces) value = step(piece, value);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32c(bytes: Uint8Array, value: number): number {
  let crc = ~value;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
