/**
 * The closed catalogue of everything that can go wrong, with the status and the sentence told to the
 * client. Codes and most sentences are tusd's, because clients and monitoring match on them; those
 * marked "ours" stand for cases that tusd does not tell apart.
 */
const catalogue = {
  ERR_UNSUPPORTED_VERSION: [412, 'missing, invalid or unsupported Tus-Resumable header'],
  ERR_MAX_SIZE_EXCEEDED: [413, 'maximum size exceeded'],
  // tusd answers 400; the specification asks for 415 (tus 1.0.0, PATCH).
  ERR_INVALID_CONTENT_TYPE: [415, 'missing or invalid Content-Type header'],
  ERR_INVALID_UPLOAD_LENGTH: [400, 'missing or invalid Upload-Length header'],
  ERR_INVALID_OFFSET: [400, 'missing or invalid Upload-Offset header'],
  ERR_UPLOAD_NOT_FOUND: [404, 'upload not found'],
  ERR_UPLOAD_LOCKED: [423, 'upload is in use by another request; try again later'],
  ERR_MISMATCHED_OFFSET: [409, 'mismatched offset'],
  ERR_UPLOAD_SIZE_EXCEEDED: [413, "upload's size exceeded"],
  ERR_INCOMPLETE_UPLOAD: [400, 'cannot stream non-finished upload'],
  ERR_NOT_IMPLEMENTED: [501, 'feature not implemented'],
  ERR_CONCATENATION_UNSUPPORTED: [400, 'Upload-Concat header is not supported by server'],
  ERR_UPLOAD_NOT_FINISHED: [400, 'one of the partial uploads is not finished'],
  ERR_INVALID_CONCAT: [400, 'invalid Upload-Concat header'],
  ERR_MODIFY_FINAL: [403, 'modifying a final upload is not allowed'],
  ERR_AMBIGUOUS_UPLOAD_LENGTH: [400, 'provided both Upload-Length and Upload-Defer-Length'],
  ERR_INVALID_UPLOAD_LENGTH_DEFER: [400, 'invalid Upload-Defer-Length header'],
  ERR_UPLOAD_STOPPED: [400, 'upload has been stopped by server'],
  ERR_UPLOAD_REJECTED: [400, 'upload creation has been rejected by server'],
  ERR_UPLOAD_TERMINATION_REJECTED: [400, 'upload termination has been rejected by server'],
  // 400 keeps a second live client from taking the upload over again and again.
  ERR_UPLOAD_INTERRUPTED: [
    400,
    'upload has been interrupted by another request for this upload resource',
  ],
  ERR_ORIGIN_NOT_ALLOWED: [403, 'request origin is not allowed'],
  ERR_SERVER_SHUTDOWN: [503, 'request has been interrupted because the server is shutting down'],
  ERR_READ_TIMEOUT: [500, 'timeout while reading request body'],
  ERR_CONNECTION_RESET: [500, 'connection closed by the client before its request was complete'],
  ERR_INTERNAL_SERVER_ERROR: [500, 'internal server error'],
  // Ours.
  ERR_UPLOAD_EXISTS: [409, 'an upload with this ID exists already'],
  ERR_UPLOAD_EXPIRED: [410, 'upload has expired'],
  ERR_INVALID_CHECKSUM: [400, 'missing, invalid or unsupported Upload-Checksum'],
  ERR_CHECKSUM_MISMATCH: [460, 'the bytes do not match their checksum; send them again'],
  ERR_PARTIAL_UPLOAD_NOT_FOUND: [400, 'one of the partial uploads does not exist'],
  ERR_NOT_PARTIAL: [400, 'one of the uploads to concatenate is no partial upload'],
  ERR_CONCATENATION_FAILED: [503, 'the partial uploads could not be put together; try again later'],
  ERR_PARTIAL_UPLOAD_GONE: [410, 'a partial upload that this final upload needs has gone'],
  ERR_INVALID_METADATA: [400, 'invalid Upload-Metadata header'],
  ERR_INVALID_UPLOAD_ID: [400, 'invalid upload ID'],
  ERR_STORAGE_FULL: [507, 'the server has no space left for this upload'],
  ERR_METHOD_NOT_ALLOWED: [405, 'method not allowed'],
  ERR_PRECONDITION_FAILED: [412, 'the upload is not in the state that the request asks for'],
  ERR_RANGE_NOT_SATISFIABLE: [416, 'the upload has no bytes in this range'],
  ERR_ACCESS_DENIED: [403, 'access denied'],
  ERR_FINISH_FAILED: [
    503,
    'all bytes are stored, but finishing the upload failed; try again later',
  ],
  ERR_LOCK_LOST: [503, 'the lock on the upload was lost; try again later'],
  ERR_LOCK_UNAVAILABLE: [503, 'uploads cannot be locked at the moment; try again later'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

/** Code of an error, the same in answers, logs and metrics. Compare codes, never messages. */
export type ErrorCode = keyof typeof catalogue;

/** All codes, for documents and tests. */
export const errorCodes: readonly ErrorCode[] = Object.keys(catalogue).filter(isErrorCode);

function isErrorCode(code: string): code is ErrorCode {
  return code in catalogue;
}

/** What may differ from the catalogue in one error. */
export interface TusErrorOptions {
  /** Told to the client after the catalogue's sentence. Never a path, a host or a stack. */
  readonly detail?: string;
  /** Status for this one error, where a hook chose another. */
  readonly status?: number;
  /** Headers of the answer, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Body of the answer instead of `CODE: message`, where a hook wants its own. */
  readonly body?: string;
  /** What really happened: for the log, never for the client. */
  readonly cause?: unknown;
}

/** An error with an answer: the one class of error that operations, stores, lockers and hooks throw on purpose. */
export class TusError extends Error {
  override readonly name = 'TusError';
  readonly code: ErrorCode;
  /** HTTP status code. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  #uploadId: string | undefined;

  constructor(code: ErrorCode, options: TusErrorOptions = {}) {
    const [status, message] = catalogue[code];
    super(
      options.detail === undefined ? message : `${message}: ${options.detail}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.status = options.status ?? status;
    this.headers = options.headers ?? {};
    this.body = options.body;
  }

  /** ID of the upload that a request has made before it went wrong, and that its client can go on with. */
  get uploadId(): string | undefined {
    return this.#uploadId;
  }

  /** Notes that ID, and is the same error. */
  about(uploadId: string): this {
    this.#uploadId = uploadId;
    return this;
  }
}

/** Whether `error` is a {@link TusError}, with this `code` if one is given. */
export function isTusError(error: unknown, code?: ErrorCode): error is TusError {
  return error instanceof TusError && (code === undefined || error.code === code);
}

/** `error` itself where it has an answer, otherwise an internal server error that keeps it as the cause. */
export function toTusError(error: unknown): TusError {
  return error instanceof TusError
    ? error
    : new TusError('ERR_INTERNAL_SERVER_ERROR', { cause: error });
}
