import { TusError } from '../../core/errors.js';

/** S3's code for what went wrong; undefined where the answer had none, or there was no answer. */
export function s3ErrorCode(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}

/** Status of S3's answer; undefined where there was none. */
export function s3ErrorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata: unknown = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) {
    return undefined;
  }
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** Whether an object is not there. A missing bucket is another matter, and must not look like it. */
export function isMissingObject(error: unknown): boolean {
  return s3ErrorStatus(error) === 404 && s3ErrorCode(error) !== 'NoSuchBucket';
}

export function isPreconditionFailed(error: unknown): boolean {
  return s3ErrorStatus(error) === 412;
}

/** Errors that a busy or restarting server gives, besides 5xx and no answer at all. */
const transientCodes = new Set(['RequestTimeout', 'SlowDown', 'Throttling', 'TooManyRequests']);
/** Failures within this process or of its set-up, which no second attempt makes good. */
const permanentNames = new Set(['CredentialsProviderError', 'TypeError', 'RangeError']);

/** Whether the same call may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  const status = s3ErrorStatus(error);
  const code = s3ErrorCode(error) ?? '';
  if (transientCodes.has(code) || status === 429) return true;
  // An error inside an answer of 200 (CompleteMultipartUpload, UploadPartCopy) is a failure of the server, too.
  if (status === 200 || code === 'InternalError') return true;
  if (status !== undefined) return status >= 500 && status !== 501 && status !== 507;
  return !permanentNames.has(code);
}

const fullCodes = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage']);

/** The error as the contract of stores wants it, where it has an answer there. */
export function asTusError(error: unknown): unknown {
  const isFull = s3ErrorStatus(error) === 507 || fullCodes.has(s3ErrorCode(error) ?? '');
  return isFull ? new TusError('ERR_STORAGE_FULL', { cause: error }) : error;
}
