import { partBytesAt, type PartPlan } from './part-size.js';
import type { S3Profile } from './s3-profile.js';

/** An object whose bytes are to be copied. */
export interface Source {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
}

/** Bytes `start` to `end` (exclusive) of an object. */
export interface SourceRange {
  readonly bucket: string;
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

/** One part of the whole: copied if it comes from one object, put together from several otherwise. */
export interface CutPart {
  readonly pieces: readonly SourceRange[];
  readonly size: number;
}

/** Bytes that are copied at once: S3 copies several parts at the same time, and none of them for too long. */
const copiedAtOnce = 512 * 1024 * 1024;

/**
 * Cuts what comes of `sources`, one after the other, into parts, beginning at `start`: as many as can be copied, and where a
 * source is smaller than a part may be, one that takes in the sources behind it until it is large enough.
 */
export function* cutSources(
  sources: readonly Source[],
  start: number,
  plan: PartPlan,
): Generator<CutPart> {
  const total = sources.reduce((sum, { size }) => sum + size, 0);
  for (let offset = start; offset < total;) {
    const size = plan.profile.equalParts
      ? Math.min(partBytesAt(plan, offset), total - offset)
      : flexibleSize(sources, offset, total, plan.profile);
    yield { size, pieces: [...rangesOf(sources, offset, offset + size)] };
    offset += size;
  }
}

/**
 * To the end of the source at `offset`, if that makes a part that can be copied; else just as much as makes a part, so that the
 * rest of the next large source can be copied. Never so that what is left of a source is too little.
 */
function flexibleSize(
  sources: readonly Source[],
  offset: number,
  total: number,
  { minPartBytes: least, maxParts }: S3Profile,
): number {
  const atOnce = Math.max(copiedAtOnce, Math.ceil(total / (maxParts * 0.9)));
  let end = 0;
  let isFirst = true;
  for (const { size } of sources) {
    end += size;
    if (end <= offset) continue;
    const available = end - offset;
    if (available >= least || end === total) {
      const most = isFirst ? atOnce : least;
      if (available <= most) return available;
      if (end === total || available - most >= least) return most;
      return isFirst ? available - least : available;
    }
    isFirst = false;
  }
  return total - offset;
}

function* rangesOf(sources: readonly Source[], start: number, end: number): Generator<SourceRange> {
  let begin = 0;
  for (const { bucket, key, size } of sources) {
    const from = Math.max(start, begin) - begin;
    const to = Math.min(end, begin + size) - begin;
    if (from < to) yield { bucket, key, start: from, end: to };
    begin += size;
  }
}
