import type { Body } from '../../core/body.js';
import type { WriteResult } from '../../core/data-store.js';
import type { Disk } from '../../internal/disk.js';
import { asTusError } from './file-errors.js';
import { type Write, writeAll } from './fs.js';

/**
 * Bytes up to which there is likely no more to come, and nothing to do while they are written. Behind them writes are
 * made aside, so that the network and the disk are busy at the same time.
 */
const smallBody = 128 * 1024;

/** Writes what arrives while the next of it arrives: one call for all that came during the last one. */
export async function storeBody(
  disk: Disk,
  descriptor: number,
  offset: number,
  body: Body,
): Promise<WriteResult> {
  const write: Write = (buffers, position) =>
    position - offset < smallBody
      ? disk.writev(descriptor, buffers, position)
      : disk.writevAside(descriptor, buffers, position);
  let bytesWritten = 0;
  for (;;) {
    const batch = await body.next();
    if (batch === null) return { bytesWritten };
    const written = await writeAll(write, batch, offset + bytesWritten);
    bytesWritten += written.bytesWritten;
    if (written.error !== undefined) return { bytesWritten, error: asTusError(written.error) };
  }
}
