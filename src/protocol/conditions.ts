import { parseHttpDate } from './http-date.js';
import type { Representation } from './representation.js';

/** The conditions of a GET, as they came. */
export interface ConditionHeaders {
  readonly ifMatch: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
}

/** What conditions come to: the request is performed, is needless, or must not be performed. */
export type Verdict = 'true' | 'not-modified' | 'failed';

/** Evaluates the conditions of a GET in the order of RFC 9110, 13.2.2, steps 1 to 4. A date that is none is ignored. */
export function evaluateConditions(
  { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince }: ConditionHeaders,
  { etag, modifiedAt }: Pick<Representation, 'etag' | 'modifiedAt'>,
): Verdict {
  if (ifMatch !== undefined) {
    if (!lists(ifMatch, etag, 'strongly')) return 'failed';
  } else if (ifUnmodifiedSince !== undefined) {
    const date = parseHttpDate(ifUnmodifiedSince);
    if (date !== undefined && modifiedAt > date) return 'failed';
  }
  if (ifNoneMatch !== undefined)
    return lists(ifNoneMatch, etag, 'weakly') ? 'not-modified' : 'true';
  const date = ifModifiedSince === undefined ? undefined : parseHttpDate(ifModifiedSince);
  return date !== undefined && modifiedAt <= date ? 'not-modified' : 'true';
}

/**
 * Whether If-Range lets a range be sent (step 5). An unfinished upload may change several times within a second, so its
 * date is no strong validator, which If-Range wants.
 */
export function ifRangeHolds(
  ifRange: string,
  { etag, modifiedAt, isWhole }: Pick<Representation, 'etag' | 'modifiedAt' | 'isWhole'>,
): boolean {
  if (ifRange === etag) return true;
  return isWhole && parseHttpDate(ifRange) === modifiedAt;
}

/**
 * Whether a list of entity tags has `etag` in it, or is `*`. Other tags may have commas in them and fall to pieces here,
 * but no piece has a quote at both ends and ours between them.
 */
function lists(header: string, etag: string, how: 'strongly' | 'weakly'): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((member) => {
    const tag = member.trim();
    return tag === etag || (how === 'weakly' && tag === `W/${etag}`);
  });
}
