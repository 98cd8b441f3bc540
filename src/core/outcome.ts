import type { Readable } from 'node:stream';
import type { HookHttpResponse } from './hooks.js';
import type { UploadInfo } from './upload.js';

/**
 * Where an upload stands.
 *
 * - `receiving`: more bytes are expected
 * - `concatenating`: a final upload whose parts are not all finished or not yet put together
 * - `finishing`: all bytes are stored, but a step that belongs to the end has not succeeded yet
 * - `finished`: nothing is left to do
 * - `expired`: it was not finished in time and may be swept
 */
export type UploadState = 'receiving' | 'concatenating' | 'finishing' | 'finished' | 'expired';

/** What an operation came to, for the protocol to put into words. */
export interface Outcome {
  readonly upload: UploadInfo;
  readonly state: UploadState;
  /** When it expires, in milliseconds since 1970; undefined where it does not. */
  readonly expiresAt?: number | undefined;
  /** What a hook wants to be different in the answer. */
  readonly httpResponse?: HookHttpResponse | undefined;
}

/** An {@link Outcome} with the bytes stored so far, or where to fetch them. */
export interface ReadOutcome extends Outcome {
  readonly content: { readonly stream: Readable } | { readonly redirect: string } | undefined;
}
