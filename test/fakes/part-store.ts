import { randomBytes } from 'node:crypto';
import type {
  DataStore,
  StoreCapabilities,
  StoredItem,
  Upload,
} from '../../dist/core/data-store.js';
import { TusError, isTusError } from '../../dist/core/errors.js';
import { isUploadId } from '../../dist/core/upload-id.js';
import type { UploadDraft } from '../../dist/core/upload.js';
import { BucketError, type PartBucket } from './part-bucket.js';
import { infoKey, loadRecord, parseRecord, saveRecord, survey } from './part-record.js';
import { PartUpload } from './part-upload.js';

/**
 * A store on a {@link PartBucket}, made as one on S3 has to be: parts of a minimum size that cannot be changed, a tail
 * beside them, an ID that carries more than was asked for, a step at the end that can fail.
 *
 * Strict: a caller that breaks the contract gets a plain Error, which no answer of the server hides.
 */
export class PartStore implements DataStore {
  readonly capabilities: StoreCapabilities = {
    termination: true,
    reading: true,
    concatenation: true,
    declaredLength: true,
    provisionalChunks: false,
    finishing: true,
    fences: true,
    chosenIds: false,
  };
  readonly #bucket: PartBucket;

  constructor(bucket: PartBucket) {
    this.#bucket = bucket;
  }

  async newUpload(draft: UploadDraft): Promise<Upload> {
    const object = draft.id ?? randomBytes(16).toString('hex');
    if (!isUploadId(object)) throw new Error(`an ID that is none: ${object}`);
    const multipart = await this.#bucket.createMultipart(object);
    try {
      const id = `${object}+${multipart}`;
      // A key of a bucket has 1,024 bytes at most.
      if (infoKey(id).length > 1024) throw new TusError('ERR_INVALID_UPLOAD_ID');
      const storage = { ...draft.storage, Type: 'partstore', Key: object };
      const record = { ...draft, id, storage, multipart, skipped: [] };
      await saveRecord(this.#bucket, record, { ifAbsent: true });
      return new PartUpload(this.#bucket, id);
    } catch (error) {
      await this.#bucket.abortMultipart(multipart);
      const taken = error instanceof BucketError && error.code === 'PreconditionFailed';
      throw taken ? new TusError('ERR_UPLOAD_EXISTS', { cause: error }) : error;
    }
  }

  async getUpload(id: string): Promise<Upload> {
    const record = await loadRecord(this.#bucket, id);
    await survey(this.#bucket, record);
    return new PartUpload(this.#bucket, id);
  }

  async *list(): AsyncGenerator<StoredItem> {
    for (const key of await this.#bucket.listKeys()) {
      const object = key.endsWith('.info') ? await this.#bucket.getObject(key) : undefined;
      const record = object && parseRecord(object.bytes);
      if (object === undefined || record === undefined) continue;
      const { id } = record;
      try {
        const { modifiedAt } = await survey(this.#bucket, record);
        yield { id, kind: 'upload', modifiedAt };
      } catch (error) {
        // A record without bytes: its multipart upload was aborted by a rule of the bucket, say.
        if (!isTusError(error, 'ERR_UPLOAD_NOT_FOUND')) throw error;
        yield { id, kind: 'orphan', modifiedAt: object.modifiedAt };
      }
    }
  }
}
