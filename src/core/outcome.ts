import type { Readable } from 'node:stream';
import type { ByteRange } from './data-store.js';
import type { TusError } from './errors.js';
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

/** What of the stored bytes is to be sent: all, a part, none because the client has them, or none at all. */
export type Selection =
  | { readonly kind: 'whole' | 'part'; readonly range: ByteRange }
  | { readonly kind: 'unmodified' }
  | { readonly kind: 'refused'; readonly error: TusError };

/** Decides what of an upload is to be sent, before anything of it is opened. */
export type SelectBytes = (upload: UploadInfo, state: UploadState) => Selection;

/** An {@link Outcome} with what was selected of the bytes stored so far, or where to fetch them all. */
export interface ReadOutcome extends Outcome {
  readonly selection: Selection;
  /** Undefined where there are no bytes to send. */
  readonly content: { readonly stream: Readable } | { readonly redirect: string } | undefined;
}
