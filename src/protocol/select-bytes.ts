import { TusError } from '../core/errors.js';
import type { Selection, UploadState } from '../core/outcome.js';
import type { UploadInfo } from '../core/upload.js';
import { requestedRange } from './byte-range.js';
import { type ConditionHeaders, evaluateConditions, ifRangeHolds } from './conditions.js';
import { type Representation, representationOf } from './representation.js';

/** The headers of a GET that decide what it is answered with, as they came. */
export interface DownloadRequest extends ConditionHeaders {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

/** Reads them off a request. */
export function decodeDownload(header: (name: string) => string | undefined): DownloadRequest {
  return {
    ifMatch: header('if-match'),
    ifUnmodifiedSince: header('if-unmodified-since'),
    ifNoneMatch: header('if-none-match'),
    ifModifiedSince: header('if-modified-since'),
    range: header('range'),
    ifRange: header('if-range'),
  };
}

/** What of an upload a GET is to be sent: conditions first, and a range only where they hold (RFC 9110, 13.2.2). */
export function selectBytes(
  request: DownloadRequest,
  upload: UploadInfo,
  state: UploadState,
): Selection {
  const representation = representationOf(upload, state);
  const verdict = evaluateConditions(request, representation);
  if (verdict === 'not-modified') return { kind: 'unmodified' };
  if (verdict === 'failed') {
    return { kind: 'refused', error: new TusError('ERR_PRECONDITION_FAILED') };
  }
  return selectRange(request, representation);
}

function selectRange(
  { range, ifRange }: DownloadRequest,
  representation: Representation,
): Selection {
  const { length } = representation;
  const whole: Selection = { kind: 'whole', range: { start: 0, end: length } };
  // Of no bytes at all the answer is 204, and "Range is ignored" where it would not be 200.
  if (range === undefined || length === 0) return whole;
  if (ifRange !== undefined && !ifRangeHolds(ifRange, representation)) return whole;
  const requested = requestedRange(range, representation);
  if (requested === undefined) return whole;
  if (requested !== 'unsatisfiable') return { kind: 'part', range: requested };
  const error = new TusError('ERR_RANGE_NOT_SATISFIABLE', {
    headers: { 'Content-Range': `bytes */${length}` },
  });
  return { kind: 'refused', error };
}
