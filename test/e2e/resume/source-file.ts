import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

const blockSize = 1024 * 1024;

/**
 * Fills a new file with random bytes that are the same for the same seed, and resolves with their SHA-256. The bytes
 * are a cipher's key stream: as fast as a disk, and no two places of the file are alike.
 */
export async function writeSource(
  path: string,
  size: number,
  seed: number,
  signal: AbortSignal,
): Promise<string> {
  const key = Buffer.alloc(16);
  key.writeDoubleLE(seed);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(blockSize);
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    for (let left = size; left > 0; left -= blockSize) {
      signal.throwIfAborted();
      const block = cipher.update(zeros.subarray(0, Math.min(left, blockSize)));
      hash.update(block);
      await file.writeFile(block);
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** SHA-256 of a file's bytes. */
export async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(path, { highWaterMark: blockSize, signal })) {
    hash.update(block);
  }
  return hash.digest('hex');
}
