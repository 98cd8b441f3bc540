import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const algorithms = ['sha256', 'sha512', 'sha1', 'crc32c', 'crc32', 'md5'] as const;
export type Algorithm = (typeof algorithms)[number];

/** The digest as others compute it; that of crc32c byte by byte. */
export function digestOf(algorithm: Algorithm, bytes: string | Uint8Array): Buffer {
  const content = Buffer.from(bytes);
  if (algorithm === 'crc32') return bigEndian(crc32(content));
  if (algorithm === 'crc32c') return bigEndian(crc32c(content));
  return createHash(algorithm).update(content).digest();
}

/** An Upload-Checksum header. */
export function checksum(
  algorithm: Algorithm,
  bytes: string | Uint8Array,
): { 'Upload-Checksum': string } {
  return { 'Upload-Checksum': checksumText(algorithm, bytes) };
}

/** Its value. */
export function checksumText(algorithm: Algorithm, bytes: string | Uint8Array): string {
  return `${algorithm} ${digestOf(algorithm, bytes).toString('base64')}`;
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** What one byte does to the CRC, bit by bit as its definition reads. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
