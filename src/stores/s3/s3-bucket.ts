import { Readable } from 'node:stream';
import type { ObjectKeys } from './object-keys.js';
import { type RetryOptions, retry } from './retry.js';
import type { S3Api } from './s3-api.js';
import { isMissingObject, s3ErrorCode } from './s3-errors.js';
import type { S3Profile } from './s3-profile.js';

/** A part that S3 has. */
export interface StoredPart {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
}

/** An object or a part as S3 lists it. */
export interface Listed {
  readonly size: number;
  readonly etag: string;
  /** In milliseconds since 1970; S3 counts whole seconds. */
  readonly modifiedAt: number;
}

/** A small object with its content. */
export interface FoundObject {
  readonly content: Buffer;
  readonly etag: string | undefined;
  readonly modifiedAt: number;
}

/** How to put an object. */
export interface PutOptions {
  /** The ETag that the object must have now, or `absent` where there must be none. */
  readonly condition?: { readonly etag: string } | 'absent' | undefined;
  readonly metadata?: Record<string, string> | undefined;
}

/** Keys that one DeleteObjects takes. */
const deletedAtOnce = 1000;

/** How much longer S3 may take to copy and to complete than to do anything else. */
const slowFactor = 10;

/** A connection that carries less is as good as dead: 512 KiB/s. */
const slowestBytesPerMs = 512;

type Signal = AbortSignal | undefined;

/**
 * The calls to S3, each tried again as long as it may help, each ending with its signal; what is not there is undefined or
 * false instead of an error.
 */
export class S3Bucket {
  readonly name: string;
  readonly profile: S3Profile;
  readonly #api: S3Api;
  readonly #retry: RetryOptions;

  constructor(api: S3Api, name: string, profile: S3Profile, retryOptions: RetryOptions) {
    this.#api = api;
    this.name = name;
    this.profile = profile;
    this.#retry = retryOptions;
  }

  async createMultipart(
    at: { readonly bucket: string; readonly key: string },
    about: { readonly contentType?: string | undefined; readonly metadata: Record<string, string> },
    signal: Signal,
  ): Promise<string> {
    const { UploadId } = await this.#call(signal, (abortSignal) =>
      this.#api.createMultipartUpload(
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

  async uploadPart(
    keys: ObjectKeys,
    number: number,
    bytes: Uint8Array,
    signal: Signal,
  ): Promise<StoredPart> {
    const { ETag } = await this.#call(
      signal,
      (abortSignal) =>
        this.#api.uploadPart(
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
    const { CopyPartResult } = await this.#callSlow(signal, (abortSignal) =>
      this.#api.uploadPartCopy(
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
      const page = await this.#ifThere(
        (error) => this.#isMissingUpload(error),
        signal,
        (abortSignal) =>
          this.#api.listParts(
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
  async completeMultipart(
    keys: ObjectKeys,
    parts: readonly StoredPart[],
    signal: Signal,
  ): Promise<boolean> {
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
    try {
      await this.#callSlow(signal, (abortSignal) =>
        this.#api.completeMultipartUpload(
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

  async abortMultipart(keys: ObjectKeys, signal: Signal): Promise<void> {
    await this.#ifThere(
      (error) => this.#isMissingUpload(error),
      signal,
      (abortSignal) => this.#api.abortMultipartUpload(multipart(keys), { abortSignal }),
    );
  }

  /** @returns the object's ETag */
  async put(
    key: string,
    content: Uint8Array | string,
    signal: Signal,
    { condition, metadata }: PutOptions = {},
  ): Promise<string | undefined> {
    const ContentLength = Buffer.byteLength(content);
    const { ETag } = await this.#call(
      signal,
      (abortSignal) =>
        this.#api.putObject(
          {
            Bucket: this.name,
            Key: key,
            Body: content,
            ContentLength,
            ...(condition === 'absent' && { IfNoneMatch: '*' }),
            ...(typeof condition === 'object' && { IfMatch: condition.etag }),
            ...(metadata !== undefined && { Metadata: metadata }),
          },
          { abortSignal },
        ),
      ContentLength,
    );
    return ETag;
  }

  /** A whole object. @throws RangeError for one of more than `maxBytes`, of which no more is read */
  async get(key: string, maxBytes: number, signal: Signal): Promise<FoundObject | undefined> {
    return this.#ifThere(isMissingObject, signal, async (abortSignal) => {
      const found = await this.#api.getObject({ Bucket: this.name, Key: key }, { abortSignal });
      return {
        content: await readAll(asStream(found.Body), maxBytes),
        etag: found.ETag,
        modifiedAt: found.LastModified?.getTime() ?? 0,
      };
    });
  }

  /** Bytes `start` to `end` (exclusive) as they come; not tried again once they have begun to. */
  async read(
    at: { readonly bucket: string; readonly key: string },
    range: { readonly start: number; readonly end: number },
    signal: Signal,
  ): Promise<Readable | undefined> {
    return this.#ifThere(isMissingObject, signal, async (abortSignal) => {
      const Range = `bytes=${range.start}-${range.end - 1}`;
      const { Body } = await this.#api.getObject(
        { Bucket: at.bucket, Key: at.key, Range },
        { abortSignal },
      );
      return asStream(Body);
    });
  }

  /** Fills the beginning of `target` with the bytes of a range, and resolves with their number. */
  async readInto(
    target: Uint8Array,
    at: { readonly bucket: string; readonly key: string; readonly start: number; end: number },
    signal: Signal,
  ): Promise<number> {
    const length = at.end - at.start;
    return this.#call(
      signal,
      async (abortSignal) => {
        const Range = `bytes=${at.start}-${at.end - 1}`;
        const { Body } = await this.#api.getObject(
          { Bucket: at.bucket, Key: at.key, Range },
          { abortSignal },
        );
        let filled = 0;
        for await (const chunk of chunksOf(asStream(Body))) {
          target.set(chunk, filled);
          filled += chunk.byteLength;
        }
        if (filled !== length) throw new Error(`S3 gave ${filled} of ${length} bytes of ${at.key}`);
        return filled;
      },
      length,
    );
  }

  async head(
    bucket: string,
    key: string,
    signal: Signal,
  ): Promise<(Listed & { readonly metadata: Record<string, string> }) | undefined> {
    return this.#ifThere(isMissingObject, signal, async (abortSignal) => {
      const found = await this.#api.headObject({ Bucket: bucket, Key: key }, { abortSignal });
      return {
        size: found.ContentLength ?? 0,
        etag: found.ETag ?? '',
        modifiedAt: found.LastModified?.getTime() ?? 0,
        metadata: found.Metadata ?? {},
      };
    });
  }

  /** Removes objects; those that are not there are none the less gone. */
  async delete(keys: readonly string[], signal: Signal, bucket = this.name): Promise<void> {
    for (let begin = 0; begin < keys.length; begin += deletedAtOnce) {
      const Objects = keys.slice(begin, begin + deletedAtOnce).map((Key) => ({ Key }));
      const { Errors = [] } = await this.#call(signal, (abortSignal) =>
        this.#api.deleteObjects(
          { Bucket: bucket, Delete: { Objects, Quiet: true } },
          { abortSignal },
        ),
      );
      const failed = Errors.find(({ Code }) => Code !== 'NoSuchKey');
      if (failed) throw new Error(`S3 does not delete ${failed.Key}: ${failed.Code}`);
    }
  }

  /** Every object below `prefix`, page by page. */
  async *list(prefix: string, signal: Signal): AsyncGenerator<Listed & { readonly key: string }> {
    let token: string | undefined;
    do {
      const page = await this.#call(signal, (abortSignal) =>
        this.#api.listObjectsV2(
          {
            Bucket: this.name,
            Prefix: prefix,
            ...(token !== undefined && { ContinuationToken: token }),
          },
          { abortSignal },
        ),
      );
      for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
        if (Key === undefined) continue;
        yield {
          key: Key,
          size: Size ?? 0,
          etag: ETag ?? '',
          modifiedAt: LastModified?.getTime() ?? 0,
        };
      }
      token = nextPage(page.IsTruncated, page.NextContinuationToken, token);
    } while (token !== undefined);
  }

  /** @param bytes that the call moves: each takes its time, too */
  #call<T>(signal: Signal, call: (signal: AbortSignal) => Promise<T>, bytes = 0): Promise<T> {
    const attemptTimeoutMs = this.#retry.attemptTimeoutMs + bytes / slowestBytesPerMs;
    return retry({ ...this.#retry, attemptTimeoutMs }, signal, call);
  }

  /** For what S3 itself may take minutes to do. */
  #callSlow<T>(signal: Signal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const attemptTimeoutMs = this.#retry.attemptTimeoutMs * slowFactor;
    return retry({ ...this.#retry, attemptTimeoutMs }, signal, call);
  }

  async #ifThere<T>(
    isMissing: (error: unknown) => boolean,
    signal: Signal,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.#call(signal, call);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  #isMissingUpload(error: unknown): boolean {
    return this.profile.missingUploadCodes.includes(s3ErrorCode(error) ?? '');
  }
}

/**
 * Where the next page begins; undefined behind the last one.
 * @throws Error where there is one that cannot be asked for: a list that ends early would pass for the whole
 */
function nextPage(
  isTruncated: boolean | undefined,
  next: string | undefined,
  last: string | undefined,
): string | undefined {
  if (isTruncated !== true) return undefined;
  if (next === last) throw new Error('S3 gives a part of a list, and does not say how to go on');
  return required(next, 'place to go on in a list');
}

function multipart(keys: ObjectKeys): { Bucket: string; Key: string; UploadId: string } {
  return { Bucket: keys.bucket, Key: keys.data, UploadId: keys.multipart };
}

function required(value: string | undefined, what: string): string {
  if (value === undefined || value === '') throw new Error(`S3 gave no ${what}`);
  return value;
}

function asStream(body: unknown): Readable {
  if (body instanceof Readable) return body;
  throw new TypeError('The S3 client gives no stream of Node: it must be made for Node');
}

async function readAll(stream: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(stream)) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new RangeError(`the object has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* chunksOf(stream: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('The S3 client gives no bytes');
    yield chunk;
  }
}
