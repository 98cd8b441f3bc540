import type { ObjectKeys } from './object-keys.js';
import { type Listed, nextPage, required, type S3Calls, type Signal } from './s3-calls.js';
import { s3ErrorCode } from './s3-errors.js';
import type { S3Profile } from './s3-profile.js';

/** A part that S3 has. */
export interface StoredPart {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
}

/** The calls for multipart uploads. One that is not there is undefined or false instead of an error. */
export class MultipartUploads {
  readonly #calls: S3Calls;
  readonly #missingCodes: readonly string[];

  constructor(calls: S3Calls, { missingUploadCodes }: S3Profile) {
    this.#calls = calls;
    this.#missingCodes = missingUploadCodes;
  }

  async create(
    at: { readonly bucket: string; readonly key: string },
    about: { readonly contentType?: string | undefined; readonly metadata: Record<string, string> },
    signal: Signal,
  ): Promise<string> {
    const { UploadId } = await this.#calls.make(signal, (abortSignal) =>
      this.#calls.api.createMultipartUpload(
        {
          Bucket: at.bucket,
          Key: at.key,
          Metadata: about.metadata,
          ...(about.contentType !== undefined && { ContentType: about.contentType }),
        },
        { abortSignal },
      ),
    );
    return required(UploadId, 'an ID for a multipart upload');
  }

  async putPart(
    keys: ObjectKeys,
    number: number,
    bytes: Uint8Array,
    signal: Signal,
  ): Promise<StoredPart> {
    const { ETag } = await this.#calls.make(
      signal,
      (abortSignal) =>
        this.#calls.api.uploadPart(
          {
            ...multipart(keys),
            PartNumber: number,
            Body: bytes,
            ContentLength: bytes.byteLength,
          },
          { abortSignal },
        ),
      bytes.byteLength,
    );
    return { number, size: bytes.byteLength, etag: required(ETag, 'an ETag for a part') };
  }

  /** Copies bytes `start` to `end` (exclusive) of an object into a part, within S3. */
  async copyPart(
    keys: ObjectKeys,
    number: number,
    source: { readonly bucket: string; readonly key: string; readonly start: number; end: number },
    signal: Signal,
  ): Promise<StoredPart> {
    const { CopyPartResult } = await this.#calls.makeSlow(signal, (abortSignal) =>
      this.#calls.api.uploadPartCopy(
        {
          ...multipart(keys),
          PartNumber: number,
          CopySource: [source.bucket, ...source.key.split('/')].map(encodeURIComponent).join('/'),
          CopySourceRange: `bytes=${source.start}-${source.end - 1}`,
        },
        { abortSignal },
      ),
    );
    const etag = required(CopyPartResult?.ETag, 'an ETag for a copied part');
    return { number, size: source.end - source.start, etag };
  }

  /** The parts with a number above `after`, in order; undefined where there is no such multipart upload. */
  async listParts(
    keys: ObjectKeys,
    after: number,
    signal: Signal,
  ): Promise<(StoredPart & Listed)[] | undefined> {
    const parts: (StoredPart & Listed)[] = [];
    let marker: string | undefined = after > 0 ? String(after) : undefined;
    do {
      const page = await this.#calls.makeIfThere(
        (error) => this.#isMissingUpload(error),
        signal,
        (abortSignal) =>
          this.#calls.api.listParts(
            { ...multipart(keys), ...(marker !== undefined && { PartNumberMarker: marker }) },
            { abortSignal },
          ),
      );
      if (page === undefined) return undefined;
      for (const { PartNumber, Size, ETag, LastModified } of page.Parts ?? []) {
        // Some servers list what the marker has asked them to leave out.
        if (PartNumber === undefined || PartNumber <= after) continue;
        parts.push({
          number: PartNumber,
          size: Size ?? 0,
          etag: required(ETag, 'an ETag for a listed part'),
          modifiedAt: LastModified?.getTime() ?? 0,
        });
      }
      marker = nextPage(page.IsTruncated, page.NextPartNumberMarker, marker);
    } while (marker !== undefined);
    return parts.sort((a, b) => a.number - b.number);
  }

  /** Makes the object out of its parts. Resolves with false where there is no such multipart upload (any more). */
  async complete(keys: ObjectKeys, parts: readonly StoredPart[], signal: Signal): Promise<boolean> {
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
    try {
      await this.#calls.makeSlow(signal, (abortSignal) =>
        this.#calls.api.completeMultipartUpload(
          { ...multipart(keys), MultipartUpload: { Parts } },
          { abortSignal },
        ),
      );
      return true;
    } catch (error) {
      if (this.#isMissingUpload(error)) return false;
      throw error;
    }
  }

  async abort(keys: ObjectKeys, signal: Signal): Promise<void> {
    await this.#calls.makeIfThere(
      (error) => this.#isMissingUpload(error),
      signal,
      (abortSignal) => this.#calls.api.abortMultipartUpload(multipart(keys), { abortSignal }),
    );
  }

  #isMissingUpload(error: unknown): boolean {
    return this.#missingCodes.includes(s3ErrorCode(error) ?? '');
  }
}

function multipart(keys: ObjectKeys): { Bucket: string; Key: string; UploadId: string } {
  return { Bucket: keys.bucket, Key: keys.data, UploadId: keys.multipart };
}
