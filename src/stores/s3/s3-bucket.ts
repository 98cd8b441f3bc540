import { Readable } from 'node:stream';
import { MultipartUploads } from './multipart-uploads.js';
import type { RetryOptions } from './retry.js';
import type { S3Api } from './s3-api.js';
import { type Listed, nextPage, S3Calls, type Signal } from './s3-calls.js';
import { isMissingObject } from './s3-errors.js';
import type { S3Profile } from './s3-profile.js';

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

/** The calls for what lies in a bucket. An object that is not there is undefined instead of an error. */
export class S3Bucket {
  readonly name: string;
  readonly profile: S3Profile;
  readonly multiparts: MultipartUploads;
  readonly #calls: S3Calls;

  constructor(api: S3Api, name: string, profile: S3Profile, retryOptions: RetryOptions) {
    this.name = name;
    this.profile = profile;
    this.#calls = new S3Calls(api, retryOptions);
    this.multiparts = new MultipartUploads(this.#calls, profile);
  }

  /** @returns the object's ETag */
  async put(
    key: string,
    content: Uint8Array | string,
    signal: Signal,
    { condition, metadata }: PutOptions = {},
  ): Promise<string | undefined> {
    const ContentLength = Buffer.byteLength(content);
    const { ETag } = await this.#calls.make(
      signal,
      (abortSignal) =>
        this.#calls.api.putObject(
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
    return this.#calls.makeIfThere(isMissingObject, signal, async (abortSignal) => {
      const found = await this.#calls.api.getObject(
        { Bucket: this.name, Key: key },
        { abortSignal },
      );
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
    return this.#calls.makeIfThere(isMissingObject, signal, async (abortSignal) => {
      const Range = `bytes=${range.start}-${range.end - 1}`;
      const { Body } = await this.#calls.api.getObject(
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
    return this.#calls.make(
      signal,
      async (abortSignal) => {
        const Range = `bytes=${at.start}-${at.end - 1}`;
        const { Body } = await this.#calls.api.getObject(
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
    return this.#calls.makeIfThere(isMissingObject, signal, async (abortSignal) => {
      const found = await this.#calls.api.headObject({ Bucket: bucket, Key: key }, { abortSignal });
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
      const { Errors = [] } = await this.#calls.make(signal, (abortSignal) =>
        this.#calls.api.deleteObjects(
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
      const page = await this.#calls.make(signal, (abortSignal) =>
        this.#calls.api.listObjectsV2(
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
