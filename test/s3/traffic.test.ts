import { describe, expect, it } from 'vitest';
import { useS3 } from '../services/use-s3.js';
import { create, patch } from '../protocol/tus.js';
import { fileOf, keyOf, MiB, openBed, sha256 } from './s3-bed.js';
import { idIn, serve } from './s3-http.js';

const s3 = useS3();
const KiB = 1024;

/** Sends a file in requests of `chunk` bytes each, and resolves with what S3 received for each byte of it. */
async function ratiosOf(size: number, chunk: number) {
  const bed = await openBed(s3());
  const server = await serve(bed.store());
  const file = fileOf(size);
  const path = await create(server, size);
  for (let offset = 0; offset < size; offset += chunk) {
    const { status } = await patch(server, path, offset, file.subarray(offset, offset + chunk));
    expect(status).toBe(204);
  }
  expect(sha256(await bed.object(keyOf(idIn(path))))).toBe(sha256(file));
  const { bodyBytes, allBytes, requests } = bed.proxy.total();
  return { body: bodyBytes / size, all: allBytes / size, requests };
}

describe('field 19: bytes that S3 receives', () => {
  it('are at most twice the file where chunks are small', { timeout: 60_000 }, async () => {
    const { body, all } = await ratiosOf(24 * MiB, 64 * KiB);
    expect(body).toBeLessThanOrEqual(2.02);
    expect(all).toBeLessThanOrEqual(2.1);
  });

  it.each([5.5, 8, 9, 12.3, 64])(
    'are the file where chunks are parts or more: %s MiB',
    async (chunkMiB) => {
      const chunk = Math.floor(chunkMiB * MiB);
      const { all } = await ratiosOf(chunkMiB < 16 ? 3 * chunk : chunk, chunk);
      expect(all).toBeLessThanOrEqual(1.05);
    },
  );
});
