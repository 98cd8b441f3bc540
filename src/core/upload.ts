/** Metadata of an upload: what came in Upload-Metadata, values decoded as UTF-8. Its prototype is null. */
export type Metadata = Readonly<Record<string, string>>;

/**
 * What is known of an upload. Plain data: it crosses hooks, wrappers and processes.
 *
 * The optional properties below `modifiedAt` are additions to what tusd keeps. A server that shares the
 * store may drop them whenever it rewrites the record, so everything MUST work without them.
 */
export interface UploadInfo {
  readonly id: string;
  /** Bytes of the whole upload; undefined while its length is deferred. */
  readonly size: number | undefined;
  /** Bytes stored, counted from the start without a gap. */
  readonly offset: number;
  readonly metadata: Metadata;
  /** Where the store put it. The keys are the store's (`Type`, `Path`, `Bucket`, …). */
  readonly storage: Readonly<Record<string, string>>;
  /** One of the parts of a concatenation. */
  readonly isPartial: boolean;
  /** The result of a concatenation. */
  readonly isFinal: boolean;
  /** IDs of a final upload's parts, in order; empty otherwise. */
  readonly parts: readonly string[];
  /** When the store last wrote to it, in milliseconds since 1970. */
  readonly modifiedAt: number;

  /** The protocol that created it: what bare requests to its URL mean. */
  readonly protocol?: 'tus-v1' | 'rufh' | undefined;
  /** In milliseconds since 1970. */
  readonly createdAt?: number | undefined;
  /** Upload-Metadata as received: it is sent back to the byte. */
  readonly rawMetadata?: string | undefined;
  /** Upload-Concat as received. */
  readonly rawConcat?: string | undefined;
  /** When it expires if it is not finished by then, in milliseconds since 1970, whatever happens to it meanwhile. */
  readonly expiresAt?: number | undefined;
  /** It expires when nothing was written to it for so long, in milliseconds, and it is not finished. */
  readonly expiresAfterMs?: number | undefined;
  /** Who may touch it, in the words of the access check. */
  readonly owner?: string | undefined;
  /** Limits frozen at creation, in bytes. */
  readonly limits?: Readonly<Record<string, number>> | undefined;
  /**
   * The client's word that no more will come. Where a protocol says so explicitly, it decides instead of
   * `offset === size`; undefined where the protocol has no such word.
   */
  readonly complete?: boolean | undefined;
  /** There is a step to run once all bytes are here (`pending`), or it has run (`done`). */
  readonly finish?: 'pending' | 'done' | undefined;
  /** Highest fence that has written to it. */
  readonly fence?: number | undefined;
  /** The answer to the request that finished it, for replaying. */
  readonly finalResponse?: FinalResponse | undefined;
}

/** An answer kept with the upload so that it can be given again. */
export interface FinalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Small: a store may refuse more than 16 KiB. */
  readonly body: string;
}

/** What a change may touch; the rest of an upload's record never changes after creation. */
export type UploadChanges = Partial<
  Pick<
    UploadInfo,
    'size' | 'complete' | 'finish' | 'expiresAt' | 'expiresAfterMs' | 'fence' | 'finalResponse'
  >
>;

/** An upload to be made: everything but what the store itself decides. */
export interface UploadDraft extends Omit<
  UploadInfo,
  'id' | 'offset' | 'modifiedAt' | 'storage' | 'fence' | 'finalResponse'
> {
  /**
   * The ID to use; undefined lets the store choose. Valid in the sense of `isUploadId`; a store whose IDs
   * carry more (S3's multipart upload) MAY extend it.
   */
  readonly id?: string | undefined;
  /** Wishes about where to put it, in the store's own keys. From the operator's hook, never from a client. */
  readonly storage?: Readonly<Record<string, string>> | undefined;
}

/**
 * The record of an upload that has just been made of `draft`.
 *
 * Field by field: in V8 an object literal that spreads an object and then adds properties costs as much as a handful of
 * calls to the file system, and leaves a hidden class each time, for the garbage collector to find late.
 */
export function newUploadInfo(
  draft: UploadDraft,
  own: Pick<UploadInfo, 'id' | 'storage'>,
): WholeUploadInfo {
  return {
    id: own.id,
    size: draft.size,
    offset: 0,
    metadata: draft.metadata,
    storage: own.storage,
    isPartial: draft.isPartial,
    isFinal: draft.isFinal,
    parts: draft.parts,
    modifiedAt: Date.now(),
    protocol: draft.protocol,
    createdAt: draft.createdAt,
    rawMetadata: draft.rawMetadata,
    rawConcat: draft.rawConcat,
    expiresAt: draft.expiresAt,
    expiresAfterMs: draft.expiresAfterMs,
    owner: draft.owner,
    limits: draft.limits,
    complete: draft.complete,
    finish: draft.finish,
    fence: undefined,
    finalResponse: undefined,
  };
}

/** A record in which no property is left out, not even by mistake: what is not there is undefined. */
export type WholeUploadInfo = {
  readonly [Key in keyof Required<UploadInfo>]: UploadInfo[Key];
};

/** Whether all bytes are stored. Where the protocol has a word for "that was all", it decides; else the size does. */
export function isFull(upload: Pick<UploadInfo, 'complete' | 'size' | 'offset'>): boolean {
  return upload.complete ?? (upload.size !== undefined && upload.offset >= upload.size);
}
