import type { S3Bed } from './s3-bed.js';

/** What tusd has received of an upload. */
export interface TusdState {
  readonly size: number;
  readonly parts: readonly Uint8Array[];
  /** `OBJECT.part`: what was too small for a part. */
  readonly tail?: Uint8Array;
}

let count = 0;

/** Does what tusd's s3store does, call by call, and resolves with the upload's ID. */
export async function tusdUpload(bed: S3Bed, { size, parts, tail }: TusdState): Promise<string> {
  const object = `tusd-${++count}`;
  const at = { Bucket: bed.bucket, Key: object };
  const { UploadId = '' } = await bed.direct.createMultipartUpload(at);
  const id = `${object}+${UploadId}`;
  const info = {
    ID: id,
    Size: size,
    SizeIsDeferred: false,
    Offset: 0,
    MetaData: { filename: 'a.txt' },
    IsPartial: false,
    IsFinal: false,
    PartialUploads: null,
    Storage: { Bucket: bed.bucket, Key: object, Type: 's3store' },
  };
  await putObject(bed, `${object}.info`, JSON.stringify(info));
  for (const [index, Body] of parts.entries()) {
    await bed.direct.uploadPart({ ...at, UploadId, PartNumber: index + 1, Body });
  }
  if (tail !== undefined) await putObject(bed, `${object}.part`, tail);
  return id;
}

function putObject(bed: S3Bed, Key: string, Body: Uint8Array | string): Promise<object> {
  return bed.direct.putObject({ Bucket: bed.bucket, Key, Body });
}
