import { TusError } from '../../core/errors.js';
import type { UploadInfo } from '../../core/upload.js';
import type { Disk } from '../../internal/disk.js';
import { findData } from './find-upload.js';
import { withFile, writeAll } from './fs.js';
import { checkParents, type UploadPaths } from './upload-paths.js';

/**
 * Bytes copied at once, in one buffer. Measured: as fast as `cat`, which lets the kernel copy; smaller pieces are slower,
 * and two buffers no faster. A copy by the kernel alone could not be given up halfway.
 */
const pieceSize = 1024 * 1024;
/** Parts that are kept open from the start, so that they can be copied whatever becomes of them meanwhile. */
const maxOpenParts = 64;

/** A part that was there, and as long as it has to be, when it was opened. */
export interface OpenPart {
  readonly id: string;
  readonly paths: UploadPaths;
  /** Undefined where too many others are open. */
  readonly descriptor: number | undefined;
  /** Bytes to take; behind them may be some that do not count. */
  readonly length: number;
}

/**
 * Runs `use` with the files of `parts`, open, and closes them in any case.
 * @throws TusError ERR_UPLOAD_NOT_FOUND
 */
export async function openParts(
  { disk, directory }: { readonly disk: Disk; readonly directory: string },
  parts: readonly UploadInfo[],
  use: (opened: readonly OpenPart[]) => Promise<void>,
): Promise<void> {
  const opened: OpenPart[] = [];
  try {
    for (const part of parts) {
      const { id, offset: length } = part;
      if (id.includes('/')) await checkParents(directory, id);
      const paths = await findData(disk, directory, part);
      if (paths === undefined) throw new TusError('ERR_UPLOAD_NOT_FOUND');
      const descriptor =
        opened.length < maxOpenParts ? await disk.open(paths.data, paths.readFlag) : undefined;
      opened.push({ id, paths, descriptor, length });
    }
    await use(opened);
  } finally {
    for (const { descriptor } of opened) {
      if (descriptor !== undefined) await disk.close(descriptor);
    }
  }
}

export interface CopyTarget {
  /** The descriptor of the file that takes the bytes. */
  readonly target: number;
  /** Bytes that it has already. */
  readonly from: number;
  readonly signal: AbortSignal | undefined;
}

/** Copies the bytes of `parts` behind one another, in order, so that what is there is right at every moment. */
export async function copyParts(
  disk: Disk,
  parts: readonly OpenPart[],
  { target, from, signal }: CopyTarget,
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(pieceSize);
  let start = 0;
  for (const part of parts) {
    const { paths, descriptor, length } = part;
    const copy = async (source: number): Promise<void> => {
      for (let position = Math.max(from - start, 0); position < length;) {
        signal?.throwIfAborted();
        const piece = await readPiece(disk, source, buffer, position, part);
        await writePiece(disk, target, piece, start + position);
        position += piece.length;
      }
    };
    if (descriptor !== undefined) await copy(descriptor);
    else await withFile(disk, paths.data, paths.readFlag, undefined, copy);
    start += length;
  }
}

async function readPiece(
  disk: Disk,
  source: number,
  buffer: Buffer,
  position: number,
  { id, length }: OpenPart,
): Promise<Buffer> {
  const room = buffer.subarray(0, length - position);
  const bytesRead = await disk.readAside(source, room, position);
  if (bytesRead === 0) throw new Error(`Part ${id} ends at ${position}, not at ${length}`);
  return room.subarray(0, bytesRead);
}

async function writePiece(
  disk: Disk,
  target: number,
  piece: Buffer,
  position: number,
): Promise<void> {
  const { error } = await writeAll(
    (buffers, at) => disk.writevAside(target, buffers, at),
    [piece],
    position,
  );
  if (error !== undefined) throw error;
}
