import type { Readable } from 'node:stream';
import type { Body } from './body.js';
import type { UploadChanges, UploadDraft, UploadInfo } from './upload.js';

/**
 * What a store can do beyond receiving bytes. Data, not methods to try: what the server announces, the routes
 * it opens and the cases of the conformance suite are all read from here. A capability that is true has its
 * method on every {@link Upload}; one that is false has none.
 */
export interface StoreCapabilities {
  /** `Upload.terminate` */
  readonly termination: boolean;
  /** `Upload.read` */
  readonly reading: boolean;
  /** `Upload.concat`, `Upload.noteAwaitedBy` and `Upload.awaitedBy` */
  readonly concatenation: boolean;
  /** Uploads may begin without a size and be given one by `Upload.update({ size })`. */
  readonly declaredLength: boolean;
  /** `Upload.commitChunk` and `Upload.discardChunk` */
  readonly provisionalChunks: boolean;
  /** `Upload.finish`: something must still happen once all bytes are here. */
  readonly finishing: boolean;
  /** A write with a fence below the highest one seen is refused with ERR_LOCK_LOST. */
  readonly fences: boolean;
  /** `newUpload` takes `draft.id` as it is. Otherwise the store makes an ID out of it, or its own. */
  readonly chosenIds: boolean;
}

/**
 * Keeps uploads.
 *
 * - The operations call everything that changes an upload under that upload's lock, and never two such calls at
 *   once. `getUpload`, `getInfo` and `read` also come without a lock, at any time.
 * - What a call has reported as stored MUST be there for every other instance of the store from then on, as
 *   durably as the store promises. An offset MUST NOT go down.
 * - Constructors MUST NOT do I/O. Every wait MUST end soon after its `signal` fires.
 * - Errors with an answer are `TusError`s: `ERR_UPLOAD_NOT_FOUND`, `ERR_UPLOAD_EXISTS`, `ERR_STORAGE_FULL`,
 *   `ERR_INVALID_UPLOAD_ID`, `ERR_MAX_SIZE_EXCEEDED`. Anything else is thrown as it is and becomes 500; a missing permission, for
 *   example, MUST NOT look like a missing upload.
 */
export interface DataStore {
  readonly capabilities: StoreCapabilities;
  /**
   * Makes an upload with offset 0, visible to every instance once this resolves. If it throws, nothing is left.
   * @throws TusError ERR_UPLOAD_EXISTS where the ID is taken: what is there MUST stay as it is;
   * ERR_STORAGE_FULL; ERR_INVALID_UPLOAD_ID where the store cannot keep that ID; ERR_MAX_SIZE_EXCEEDED where it can
   * hold no upload of that size.
   */
  newUpload(draft: UploadDraft, options?: WaitOptions): Promise<Upload>;
  /**
   * Finds an upload. The handle is for one request: it MAY remember what it read.
   * @throws TusError ERR_UPLOAD_NOT_FOUND
   */
  getUpload(id: string, options?: WaitOptions): Promise<Upload>;
  /**
   * Everything the store holds, nested IDs too, in any order and bounded memory: uploads, and orphans (what a
   * crash left behind and no upload owns). MUST NOT yield what the store did not make.
   */
  list(options?: WaitOptions): AsyncIterable<StoredItem>;
  /**
   * IDs of the final uploads that were noted as waiting for a part which is still there, each at least once, in any order and
   * bounded memory: what a server that has just started may have to go on with. Only with `concatenation`.
   */
  listWaiting?(options?: WaitOptions): AsyncIterable<string>;
  /**
   * Removes what a crash left behind under this ID, and nothing where an upload has it. Called under the ID's lock, when
   * the orphan is old enough to be no upload in the making. Only where `list` may yield orphans.
   */
  removeOrphan?(id: string, options?: WriteOptions): Promise<void>;
}

/** One upload in a store, as one request sees it. */
export interface Upload {
  readonly id: string;
  /** @throws TusError ERR_UPLOAD_NOT_FOUND once it was terminated through this handle; MAY, if it has gone otherwise. */
  getInfo(options?: WaitOptions): Promise<UploadInfo>;
  /** Changes the record, wholly or not at all (a crash included), and resolves with the new one. */
  update(changes: UploadChanges, options?: WriteOptions): Promise<UploadInfo>;
  /**
   * Stores the body from `offset` on; `offset` is the upload's current one. Reads the body to its end unless
   * storing fails. Bytes SHOULD be stored while more arrive, within bounded memory.
   *
   * Resolves with the bytes that are stored in any case, and with the error if there was one: a full disk keeps
   * the bytes that fit. MAY throw only where nothing was stored.
   *
   * Work that is given up, or whose lock was lost, is told in two ways: the body ends as `abandoned` and hands out
   * nothing more, and then `signal` fires. Nothing more MUST be stored; what is in flight MAY count. A store that waits
   * for nothing but the body and its own disk needs no signal.
   */
  writeChunk(offset: number, body: Body, options?: WriteChunkOptions): Promise<WriteResult>;
  /** Makes the chunk of the last provisional `writeChunk` count. Only with `provisionalChunks`. */
  commitChunk?(options?: WriteOptions): Promise<void>;
  /**
   * Forgets the chunk of this handle's last `writeChunk`, provisional or not: the offset is what it was before. Only with
   * `provisionalChunks`.
   */
  discardChunk?(options?: WriteOptions): Promise<void>;
  /**
   * The store's own step after the last byte. Idempotent, may be slow, is run again if it failed or the process
   * died in it. Only with `finishing`.
   */
  finish?(options?: WriteOptions): Promise<void>;
  /**
   * Reads the bytes from `range.start` to `range.end`, which lie below the offset. Only with `reading`.
   * @throws TusError ERR_INCOMPLETE_UPLOAD where the store can read nothing before the end (S3)
   */
  read?(range: ByteRange, options?: WaitOptions): Promise<ReadResult>;
  /** Frees everything the upload takes. Does nothing where it has gone already. Only with `termination`. */
  terminate?(options?: WriteOptions): Promise<void>;
  /**
   * Fills this empty upload with the bytes of `parts`, in order. Its offset stays below its size until all of them are
   * there. Idempotent, also after a crash in the middle; may be slow. Only with `concatenation`.
   * @throws TusError ERR_UPLOAD_NOT_FOUND where a part has gone and the bytes are not all there yet
   */
  concat?(parts: readonly UploadInfo[], options?: WriteOptions): Promise<void>;
  /**
   * Notes that the final upload `finalId` waits for this part. Comes without a lock, at any time: what is noted once this
   * resolves MUST be seen by every `awaitedBy` that begins afterwards, in every instance of the store, a restart
   * included. Goes with the part. Only with `concatenation`.
   */
  noteAwaitedBy?(finalId: string, options?: WaitOptions): Promise<void>;
  /** IDs of the final uploads that were noted as waiting for this part, each once, in any order. Only with `concatenation`. */
  awaitedBy?(options?: WaitOptions): Promise<readonly string[]>;
}

/** For every call that may take a while. */
export interface WaitOptions {
  /**
   * Fires when the result is of no use any more. It may be made only when it is read: a wrapper passes the options on as
   * they are, not a copy.
   */
  readonly signal?: AbortSignal;
}

/** For every call that changes an upload. */
export interface WriteOptions extends WaitOptions {
  /** The lock's fence, where the locker has one: a later holder's is higher. */
  readonly fence?: number | undefined;
}

/** For `writeChunk`. */
export interface WriteChunkOptions extends WriteOptions {
  /** Bytes that the client has announced for this chunk (Content-Length): fewer may come, never more. */
  readonly bodyLength?: number | undefined;
  /** Store the bytes so that they do not count until `commitChunk`. Only with `provisionalChunks`. */
  readonly provisional?: boolean;
}

/** What `writeChunk` did: both at once, because a failed write may have stored something. */
export interface WriteResult {
  /** Bytes of this chunk that are stored; they count, or will once a provisional chunk is committed. */
  readonly bytesWritten: number;
  readonly error?: unknown;
}

/** Bytes `start` (inclusive) to `end` (exclusive). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The bytes, or where the client can fetch them itself. The receiver of a stream MUST read or destroy it. */
export type ReadResult = { readonly stream: Readable } | { readonly redirect: string };

/** Something that a store keeps: an upload, or what a crash left behind and no upload owns. */
export interface StoredItem {
  readonly id: string;
  readonly kind: 'upload' | 'orphan';
  /** In milliseconds since 1970. */
  readonly modifiedAt: number;
}
