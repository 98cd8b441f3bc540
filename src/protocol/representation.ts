import type { UploadState } from '../core/outcome.js';
import type { UploadInfo } from '../core/upload.js';

/** What a GET sends, as conditions and ranges see it. */
export interface Representation {
  /** Bytes that are stored at this moment. */
  readonly length: number;
  /** Whether that is all of the upload: no more bytes will come. */
  readonly isWhole: boolean;
  /** Quoted, as it is sent. */
  readonly etag: string;
  /** For Last-Modified: a whole second, in milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** The representation of an upload that a request may read. */
export function representationOf(
  upload: UploadInfo,
  state: UploadState,
  now = Date.now(),
): Representation {
  const { offset, modifiedAt } = upload;
  // "An origin server with a clock MUST NOT generate a Last-Modified date that is later than the server's time."
  const told = Math.min(modifiedAt, now);
  return {
    length: offset,
    isWhole: state === 'finished' || state === 'finishing',
    etag: entityTag(offset, modifiedAt),
    modifiedAt: told - (told % 1000),
  };
}

/**
 * A strong one: what is stored is only ever added to, so its length says which bytes it has, unless another upload has
 * been given the ID of one that was terminated; and that was written at another time. Every server that shares the store
 * makes the same one, and nothing has to be read for it. Below a millisecond, runtimes tell different times of a file.
 */
function entityTag(offset: number, modifiedAt: number): string {
  return `"${offset.toString(36)}-${Math.floor(modifiedAt).toString(36)}"`;
}
