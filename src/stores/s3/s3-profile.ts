const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;

/** What differs between providers of S3. Data: an author of another profile fills in the same fields. */
export interface S3Profile {
  /** Bytes that every part but the last must have. */
  readonly minPartBytes: number;
  /** Bytes that a part may have at most. */
  readonly maxPartBytes: number;
  /** Parts that one upload may have. The highest number is as high. */
  readonly maxParts: number;
  /** Bytes that one object may have. */
  readonly maxObjectBytes: number;
  /** All parts but the last must have one size, so that no request can end with a part of its own. */
  readonly equalParts: boolean;
  /** PutObject honours `If-Match` and `If-None-Match`: a record is never overwritten unseen. */
  readonly conditionalWrites: boolean;
  /** Error codes, beside S3's own, that mean that a multipart upload is not there. */
  readonly missingUploadCodes: readonly string[];
  /** Bytes that a key may have between two slashes. */
  readonly maxNameBytes: number;
  /** A key cannot be an object and the folder of another at the same time: `a` beside `a/b`. */
  readonly foldersCollide: boolean;
}

const aws: S3Profile = {
  minPartBytes: 5 * MiB,
  maxPartBytes: 5 * GiB,
  maxParts: 10_000,
  maxObjectBytes: 5 * TiB,
  equalParts: false,
  conditionalWrites: true,
  missingUploadCodes: ['NoSuchUpload'],
  maxNameBytes: 1024,
  foldersCollide: false,
};

/** The providers that are known by name. */
export const s3Profiles = {
  aws,
  /** Cloudflare R2. */
  r2: { ...aws, equalParts: true, maxPartBytes: 5 * GiB - 5 * MiB },
  minio: { ...aws, maxNameBytes: 255, foldersCollide: true },
  // It cannot replace an object whose name is longer.
  versitygw: { ...aws, maxNameBytes: 227, foldersCollide: true },
  seaweedfs: { ...aws, maxNameBytes: 255, foldersCollide: true },
  /** Any other: only what all of them understand. */
  generic: {
    ...aws,
    conditionalWrites: false,
    maxNameBytes: 227,
    foldersCollide: true,
    // Scaleway and DigitalOcean say NoSuchKey, others a bare 404.
    missingUploadCodes: ['NoSuchUpload', 'NoSuchKey', 'NotFound'],
  },
} as const satisfies Readonly<Record<string, S3Profile>>;

/** Name of a provider with a profile. */
export type S3Provider = keyof typeof s3Profiles;
