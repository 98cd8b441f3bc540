import type {
  DataStore,
  StoreCapabilities,
  StoredItem,
  Upload,
  WaitOptions,
  WriteOptions,
} from '../../core/data-store.js';
import type { UploadDraft } from '../../core/upload.js';
import { listWaiting } from './awaited-by.js';
import { createUpload, type PlaceObject } from './create-upload.js';
import { listUploads } from './list-uploads.js';
import { folderPrefix, ownFolder } from './object-keys.js';
import { unlessGone } from './load-record.js';
import { PartBuffers } from './part-buffers.js';
import { removeOrphan } from './remove-upload.js';
import type { S3Api } from './s3-api.js';
import { defaultRetry } from './retry.js';
import { S3Bucket } from './s3-bucket.js';
import type { S3Means, S3Presign } from './s3-means.js';
import { type S3Profile, s3Profiles, type S3Provider } from './s3-profile.js';
import { S3Upload } from './s3-upload.js';
import { Slots } from './slots.js';
import { survey } from './survey.js';

const MiB = 1024 * 1024;

/** Where and how to keep uploads in S3. */
export interface S3StoreOptions {
  /** An `S3` of `@aws-sdk/client-s3`, made by the caller: credentials, region and endpoint are its own. */
  readonly api: S3Api;
  /** Bucket for everything; it has to exist (tusd's `-s3-bucket`). */
  readonly bucket: string;
  /** Folder of all keys; none by default (tusd's `-s3-object-prefix`). */
  readonly objectPrefix?: string;
  /** What S3 is in this case, by name or as a profile of one's own; `aws` by default. */
  readonly provider?: S3Provider | S3Profile;
  /**
   * Bytes of a part, 5 MiB by default (tusd's `-s3-part-size`, which has 50 MiB). Larger uploads have larger parts, so that
   * their number suffices. Every part on its way is in memory.
   */
  readonly partBytes?: number;
  /** Bytes that a part has at least, if not what the provider demands (tusd's `-s3-min-part-size`). */
  readonly minPartBytes?: number;
  /** Parts of one upload that are on their way at once, beside the two that are being filled; 3 by default, 1 at least, 64 at most. */
  readonly partsInFlight?: number;
  /** Parts of all uploads that are on their way at once; 10 by default, 1 at least (tusd's `-s3-concurrent-part-uploads`). */
  readonly concurrentPartUploads?: number;
  /**
   * Bytes of memory for the parts of all uploads, 128 MiB by default. Who needs more than is left waits, and clients that are
   * slow or silent have what they sent stored as it is. Each upload has 256 KiB beside.
   */
  readonly maxBufferedBytes?: number;
  /** How often a call to S3 is tried; 5 by default. */
  readonly attempts?: number;
  /** Milliseconds after which a call without an answer is given up and tried again; 30,000 by default. */
  readonly attemptTimeoutMs?: number;
  /** Sends clients to the address that it makes, instead of sending them the object. */
  readonly presignDownload?: S3Presign;
  /**
   * Where an upload's object is to lie, if not in `bucket` under its ID. tusd does not find uploads that lie elsewhere: there is
   * no going back to it with them. A `Bucket` or `Key` in `storage`, from a pre-create hook, goes before.
   */
  readonly placeObject?: PlaceObject;
}

/**
 * Keeps uploads in a bucket, in tusd's layout: an upload begun by one server is resumed by the other. Any number of processes on
 * any number of machines may share a bucket, with a locker that they share.
 *
 * It holds in memory, for each upload that is being received, the parts on their way, one that waits for what comes behind it,
 * and one that is being filled: `partsInFlight` + 2 times `partBytes` at most, for all uploads `maxBufferedBytes`.
 */
export class S3Store implements DataStore {
  readonly capabilities: StoreCapabilities = {
    termination: true,
    reading: true,
    concatenation: true,
    declaredLength: true,
    provisionalChunks: true,
    finishing: true,
    fences: true,
    chosenIds: false,
  };
  readonly #means: S3Means;
  readonly #placeObject: PlaceObject | undefined;

  constructor(options: S3StoreOptions) {
    const profile = profileOf(options);
    const wishedPartBytes = Math.max(options.partBytes ?? 5 * MiB, profile.minPartBytes);
    this.#placeObject = options.placeObject;
    this.#means = {
      bucket: new S3Bucket(options.api, options.bucket, profile, {
        ...defaultRetry,
        ...(options.attempts !== undefined && { attempts: options.attempts }),
        ...(options.attemptTimeoutMs !== undefined && {
          attemptTimeoutMs: options.attemptTimeoutMs,
        }),
      }),
      prefix: folderPrefix(options.objectPrefix ?? ''),
      wishedPartBytes,
      maxInFlight: Math.min(Math.max(options.partsInFlight ?? 3, 1), 64),
      buffers: new PartBuffers(wishedPartBytes, options.maxBufferedBytes ?? 128 * MiB),
      slots: new Slots(Math.max(options.concurrentPartUploads ?? 10, 1)),
      presign: options.presignDownload,
    };
  }

  /** @throws Error where the bucket cannot be used */
  async prepare(): Promise<void> {
    for await (const _ of this.#means.bucket.list(ownFolder(this.#means.prefix), undefined)) return;
  }

  async newUpload(draft: UploadDraft, { signal }: WaitOptions = {}): Promise<Upload> {
    const found = await createUpload(this.#means, this.#placeObject, draft, signal);
    return new S3Upload(this.#means, found.record.info.id, found);
  }

  async getUpload(id: string, { signal }: WaitOptions = {}): Promise<Upload> {
    const { bucket, prefix } = this.#means;
    return new S3Upload(this.#means, id, await survey({ bucket, prefix, id }, signal));
  }

  list(options: WaitOptions = {}): AsyncGenerator<StoredItem> {
    return listUploads(this.#means, options.signal);
  }

  listWaiting(options: WaitOptions = {}): AsyncGenerator<string> {
    return listWaiting(this.#means, options.signal);
  }

  async removeOrphan(id: string, { fence, signal }: WriteOptions = {}): Promise<void> {
    const { bucket, prefix } = this.#means;
    // An ID that cannot be ours has left nothing behind.
    await unlessGone(removeOrphan({ bucket, prefix, id }, fence, signal));
  }
}

function profileOf({ provider = 'aws', minPartBytes }: S3StoreOptions): S3Profile {
  const profile = typeof provider === 'string' ? s3Profiles[provider] : provider;
  return minPartBytes === undefined ? profile : { ...profile, minPartBytes };
}
