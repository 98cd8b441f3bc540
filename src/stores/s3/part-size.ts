import { TusError } from '../../core/errors.js';
import type { S3Profile } from './s3-profile.js';

/**
 * Of the numbers that a provider has for parts, those that are planned with. The others are for parts that end with a
 * request, and for numbers that are left out after a takeover.
 */
const plannedShare = 0.9;
/**
 * The first of every so many numbers are for parts of the wished size where the upload's size is not known; behind them,
 * parts grow in proportion to what is there already. 7.5 lets 10,000 of them come to 5 TiB, from 5 MiB on.
 */
const growth = 7.5;

/** Of the numbers that are left, those that the rest of an upload may need. */
const spendableShare = 0.95;

/** What is known of an upload whose bytes are to be cut into parts. */
export interface PartPlan {
  readonly profile: S3Profile;
  /** Bytes that a part is wished to have. */
  readonly wishedBytes: number;
  /** Undefined while the upload's length is deferred. */
  readonly size: number | undefined;
  /** Bytes that the earlier parts have, where all must have the same. */
  readonly equalBytes?: number | undefined;
}

/**
 * Bytes of the part at `offset`: what is wished for, more where that would make too many parts. Equal for all parts, save
 * where the size is not known: there they grow, so that the largest upload has a number for each of its parts (with tusd
 * such an upload ends at 10,000 times the wished size).
 *
 * @param lastNumber the highest that is used up
 * @throws TusError ERR_MAX_SIZE_EXCEEDED for what no object can hold
 */
export function partBytesAt(plan: PartPlan, offset: number, lastNumber = 0): number {
  const { profile, wishedBytes, size, equalBytes } = plan;
  if (profile.equalParts && equalBytes !== undefined) {
    if (size !== undefined && size > equalBytes * profile.maxParts) {
      throw tooLarge(equalBytes * profile.maxParts);
    }
    return equalBytes;
  }
  const parts = Math.floor(profile.maxParts * plannedShare);
  const least = Math.max(profile.minPartBytes, wishedBytes);
  if (size === undefined) {
    if (profile.equalParts) return least;
    return Math.min(profile.maxPartBytes, Math.max(least, Math.ceil((offset * growth) / parts)));
  }
  const needed = Math.max(least, Math.ceil(size / parts));
  if (size > profile.maxObjectBytes || needed > profile.maxPartBytes) {
    throw tooLarge(profile.maxObjectBytes);
  }
  if (profile.equalParts) return needed;
  // Before the size was known, and by takeovers, more numbers may have been used up than were planned with.
  const left = Math.max(1, Math.floor((profile.maxParts - lastNumber) * spendableShare));
  return Math.min(profile.maxPartBytes, Math.max(needed, Math.ceil((size - offset) / left)));
}

/**
 * Whether a request may end at `offset` with a part of its own, smaller than the others, and leave `nextNumber` for the next
 * one. Not where parts must be equal, and not where the numbers that are left would no longer suffice for the rest.
 */
export function mayEndWithPart(plan: PartPlan, offset: number, nextNumber: number): boolean {
  const { profile, size } = plan;
  if (profile.equalParts) return false;
  const end = size ?? profile.maxObjectBytes;
  const needed = numbersUpTo(plan, end) - numbersUpTo(plan, offset);
  return needed <= (profile.maxParts - nextNumber) * spendableShare;
}

/** How many parts `offset` bytes make where each has its full size. */
function numbersUpTo(plan: PartPlan, offset: number): number {
  const first = partBytesAt(plan, 0);
  if (plan.size !== undefined) return Math.ceil(offset / first);
  const steady = Math.floor(plan.profile.maxParts * plannedShare) / growth;
  const steadyBytes = steady * first;
  if (offset <= steadyBytes) return Math.ceil(offset / first);
  return Math.ceil(steady * (1 + Math.log(offset / steadyBytes)));
}

function tooLarge(maxBytes: number): TusError {
  return new TusError('ERR_MAX_SIZE_EXCEEDED', {
    detail: `the object may have ${maxBytes} bytes at most`,
  });
}
