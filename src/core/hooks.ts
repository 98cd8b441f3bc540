import type { UploadInfo } from './upload.js';

/** Hooks that an operation waits for, and whose answer can change it. */
export type BlockingHook = 'pre-create' | 'pre-finish' | 'pre-terminate';

/** What has happened to an upload. */
export type EventName = 'post-create' | 'post-receive' | 'post-finish' | 'post-terminate';

/** What a request wants with uploads, for the access check. */
export type Verb = 'create' | 'append' | 'inspect' | 'read' | 'terminate' | 'concatenate';

/**
 * The request behind an operation, as hooks see it. A final upload may be completed by the request that ended its last part,
 * or by none, when the server does it on its own: then everything is empty.
 */
export interface RequestInfo {
  readonly method: string;
  /** The request target as received: path and query. */
  readonly uri: string;
  /** `address:port` of the client, as far as the transport knows it. */
  readonly remoteAddress: string;
  /** Lower-case names, each with its values in the order they came. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** What a blocking hook is asked about. */
export interface HookRequest {
  readonly type: BlockingHook;
  /** In pre-create, `id` is empty where the server would choose it. */
  readonly upload: UploadInfo;
  readonly request: RequestInfo;
}

/** Changes to the answer that the client gets. */
export interface HookHttpResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a blocking hook wants; an empty object changes nothing. */
export interface HookResponse {
  readonly httpResponse?: HookHttpResponse;
  /** pre-create: do not make it. */
  readonly rejectUpload?: boolean;
  /** pre-terminate: do not remove it. */
  readonly rejectTermination?: boolean;
  /** pre-create: a property left out changes nothing. */
  readonly changes?: {
    readonly id?: string;
    readonly metadata?: Readonly<Record<string, string>>;
    readonly storage?: Readonly<Record<string, string>>;
    /** When the upload expires if it is not finished by then, in milliseconds since 1970. */
    readonly expiresAt?: number;
    /** The upload expires when nothing was written to it for so long, in milliseconds, and it is not finished. */
    readonly expiresAfterMs?: number;
  };
}

/** Something that has happened to an upload. */
export interface UploadEvent {
  /** Unique: a receiver that sees it twice knows. */
  readonly eventId: string;
  /** Rises with every event of this process: orders what one process says of an upload. */
  readonly sequence: number;
  readonly type: EventName;
  readonly upload: UploadInfo;
  readonly request: RequestInfo;
  /**
   * Only in post-receive while bytes still arrive: cut the body, terminate the upload and answer with
   * ERR_UPLOAD_STOPPED, changed by `response`.
   */
  readonly stopUpload?: (response?: HookHttpResponse) => void;
}

/**
 * The operator's code around operations. One object serves every transport (function, file, HTTP, gRPC, module).
 */
export interface Hooks {
  /** The blocking hooks that are on. The others are never invoked and cost nothing. */
  readonly blocking: ReadonlySet<BlockingHook>;
  /** The events that are wanted. */
  readonly events: ReadonlySet<EventName>;
  /**
   * Runs a blocking hook. To answer, with whatever status, is success; only a throw is a failure. pre-finish is
   * invoked again after a failure or a crash, so it may see the same upload twice.
   */
  invoke(request: HookRequest, options: { readonly signal: AbortSignal }): Promise<HookResponse>;
  /**
   * Takes note of an event. Awaited before the client gets its answer, so it returns as soon as the event is in
   * safe hands, and delivers later. A throw is logged and changes nothing.
   */
  publish(event: UploadEvent): Promise<void>;
  /**
   * May this request do this? Before any lock is taken and any byte of the body is read; `ids` is empty for a
   * creation, and those of the parts for a concatenation. Throws a TusError (usually ERR_ACCESS_DENIED) to refuse. Undefined: everybody may.
   */
  access?(
    verb: Verb,
    ids: readonly string[],
    request: RequestInfo,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
}
