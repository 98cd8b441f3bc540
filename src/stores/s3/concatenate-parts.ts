import { TusError } from '../../core/errors.js';
import type { UploadInfo } from '../../core/upload.js';
import type { ChunkWriterOptions } from './chunk-writer.js';
import { cutSources, type CutPart, type Source } from './cut-sources.js';
import type { LoadedRecord, Place } from './load-record.js';
import { objectKeys } from './object-keys.js';
import { PartSession } from './part-session.js';
import { isMissingObject } from './s3-errors.js';
import { PartsOnTheirWay } from './parts-on-their-way.js';
import type { StoredPart } from './multipart-uploads.js';
import type { Survey } from './survey.js';

/**
 * Fills an upload with the bytes of finished ones, copied within S3 wherever they make a part; what is too small for one goes
 * through this process. What an earlier attempt has done is not done again.
 *
 * @throws TusError ERR_UPLOAD_NOT_FOUND where the object of one is not there
 */
export async function concatenateParts(
  place: Place,
  found: Survey,
  uploads: readonly UploadInfo[],
  options: ChunkWriterOptions,
): Promise<void> {
  const sources = uploads.map((upload) => sourceOf(place, upload));
  const size = sources.reduce((sum, source) => sum + source.size, 0);
  if (found.isComplete || found.offset === size) return;
  const session = await PartSession.open(options, found);
  const parts = new PartsOnTheirWay(options);
  try {
    for (const part of cutSources(sources, found.partsEnd, options.plan)) {
      await parts.room();
      const number = session.nextNumber();
      parts.send({ number, size: part.size }, () =>
        putPart(place, session.record, number, part, options.signal),
      );
    }
    await parts.settle();
    parts.throwFailure();
  } catch (error) {
    await parts.settle();
    // The error that began it is the one to tell.
    await session.closeWith(parts, false, options.signal).catch(() => undefined);
    throw isMissingObject(error) ? new TusError('ERR_UPLOAD_NOT_FOUND', { cause: error }) : error;
  }
  await session.closeWith(parts, true, options.signal);
}

function sourceOf({ bucket, prefix }: Place, { id, offset, storage }: UploadInfo): Source {
  const own = objectKeys(bucket.name, prefix, id);
  return {
    bucket: storage['Bucket'] ?? own.bucket,
    key: storage['Key'] ?? own.data,
    size: offset,
  };
}

async function putPart(
  { bucket }: Place,
  { keys }: LoadedRecord,
  number: number,
  { pieces, size }: CutPart,
  signal: AbortSignal | undefined,
): Promise<StoredPart> {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) {
    return bucket.multiparts.copyPart(keys, number, only, signal);
  }
  const bytes = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for (const piece of pieces) {
    filled += await bucket.readInto(bytes.subarray(filled), piece, signal);
  }
  return bucket.multiparts.putPart(keys, number, bytes, signal);
}
