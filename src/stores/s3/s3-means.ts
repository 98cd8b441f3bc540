import type { Metadata } from '../../core/upload.js';
import type { PartBuffers } from './part-buffers.js';
import type { S3Bucket } from './s3-bucket.js';
import type { Slots } from './slots.js';

/** What all uploads of one store work with. */
export interface S3Means {
  readonly bucket: S3Bucket;
  /** Of all keys; a folder, or empty. */
  readonly prefix: string;
  /** Bytes that a part is wished to have. */
  readonly wishedPartBytes: number;
  /** Parts of one upload that may be on their way at once. */
  readonly maxInFlight: number;
  readonly buffers: PartBuffers;
  /** For the parts of all uploads. */
  readonly slots: Slots;
  /** Makes an address from which a client can fetch an object itself, instead of through this process. */
  readonly presign: S3Presign | undefined;
}

/** Makes an address from which a client can fetch an object itself, without credentials. */
export type S3Presign = (object: {
  readonly bucket: string;
  readonly key: string;
  /** The upload's, for what the answer is to say of the file's name and type. */
  readonly metadata: Metadata;
}) => Promise<string>;
