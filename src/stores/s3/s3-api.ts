/**
 * What the store needs of S3: the methods of the SDK's `S3` class (`@aws-sdk/client-s3`, version 3) that it calls, with the
 * properties that it reads. An `S3` is one as it is.
 *
 * A method rejects with an error whose `name` is S3's error code (`NoSuchUpload`) and whose `$metadata.httpStatusCode` is the
 * status. The store tries again by itself: a client of its own is best made with `maxAttempts: 1`.
 */
export interface S3Api {
  createMultipartUpload(
    input: ObjectAddress & {
      readonly ContentType?: string;
      readonly Metadata?: Record<string, string>;
    },
    options?: S3CallOptions,
  ): Promise<{ readonly UploadId?: string | undefined }>;
  uploadPart(
    input: PartAddress & { readonly Body: Uint8Array; readonly ContentLength: number },
    options?: S3CallOptions,
  ): Promise<{ readonly ETag?: string | undefined }>;
  uploadPartCopy(
    input: PartAddress & { readonly CopySource: string; readonly CopySourceRange?: string },
    options?: S3CallOptions,
  ): Promise<{
    readonly CopyPartResult?: { readonly ETag?: string | undefined } | undefined;
  }>;
  listParts(
    input: MultipartAddress & { readonly PartNumberMarker?: string },
    options?: S3CallOptions,
  ): Promise<{
    readonly Parts?: readonly ListedS3Part[] | undefined;
    readonly IsTruncated?: boolean | undefined;
    readonly NextPartNumberMarker?: string | undefined;
  }>;
  completeMultipartUpload(
    input: MultipartAddress & {
      readonly MultipartUpload: { Parts: { readonly PartNumber: number; readonly ETag: string }[] };
    },
    options?: S3CallOptions,
  ): Promise<object>;
  abortMultipartUpload(input: MultipartAddress, options?: S3CallOptions): Promise<object>;
  putObject(
    input: ObjectAddress & {
      readonly Body: Uint8Array | string;
      readonly ContentLength: number;
      readonly IfMatch?: string;
      readonly IfNoneMatch?: string;
      readonly Metadata?: Record<string, string>;
    },
    options?: S3CallOptions,
  ): Promise<{ readonly ETag?: string | undefined }>;
  getObject(
    input: ObjectAddress & { readonly Range?: string },
    options?: S3CallOptions,
  ): Promise<{
    /** A stream of Node's. */
    readonly Body?: unknown;
    readonly ETag?: string | undefined;
    readonly LastModified?: Date | undefined;
  }>;
  headObject(
    input: ObjectAddress,
    options?: S3CallOptions,
  ): Promise<{
    readonly ContentLength?: number | undefined;
    readonly ETag?: string | undefined;
    readonly LastModified?: Date | undefined;
    readonly Metadata?: Record<string, string> | undefined;
  }>;
  deleteObjects(
    input: {
      readonly Bucket: string;
      readonly Delete: { Objects: { Key: string }[]; readonly Quiet: boolean };
    },
    options?: S3CallOptions,
  ): Promise<{
    readonly Errors?:
      | readonly { readonly Key?: string | undefined; readonly Code?: string | undefined }[]
      | undefined;
  }>;
  listObjectsV2(
    input: {
      readonly Bucket: string;
      readonly Prefix: string;
      readonly ContinuationToken?: string;
    },
    options?: S3CallOptions,
  ): Promise<{
    readonly Contents?: readonly ListedS3Object[] | undefined;
    readonly IsTruncated?: boolean | undefined;
    readonly NextContinuationToken?: string | undefined;
  }>;
}

/** For every call. */
export interface S3CallOptions {
  /** Ends the call. */
  readonly abortSignal?: AbortSignal;
}

/** Where an object is. */
export interface ObjectAddress {
  readonly Bucket: string;
  readonly Key: string;
}

/** Which multipart upload to an object is meant. */
export interface MultipartAddress extends ObjectAddress {
  readonly UploadId: string;
}

/** Which part of a multipart upload is meant. */
export interface PartAddress extends MultipartAddress {
  readonly PartNumber: number;
}

/** One part in the answer of ListParts. */
export interface ListedS3Part {
  readonly PartNumber?: number | undefined;
  readonly Size?: number | undefined;
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
}

/** One object in the answer of ListObjectsV2. */
export interface ListedS3Object {
  readonly Key?: string | undefined;
  readonly Size?: number | undefined;
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
}
