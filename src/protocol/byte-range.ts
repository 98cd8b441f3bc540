import type { ByteRange } from '../core/data-store.js';
import type { Representation } from './representation.js';

/** One range: its first and perhaps its last byte, or the number of bytes at the end. */
const singleRange = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i;

/**
 * The bytes that a Range header asks for; undefined where it is to be ignored, and all bytes are sent: it is malformed,
 * has another unit, or several ranges, which a server may answer with everything.
 *
 * What will be at the end of an unfinished upload nobody knows: its last bytes cannot be asked for.
 */
export function requestedRange(
  header: string,
  { length, isWhole }: Pick<Representation, 'length' | 'isWhole'>,
): ByteRange | 'unsatisfiable' | undefined {
  const match = singleRange.exec(header);
  if (match === null) return undefined;
  const [, firstDigits, lastDigits = '', suffixDigits] = match;
  if (firstDigits === undefined) {
    if (!isWhole) return undefined;
    const count = Math.min(Number(suffixDigits), length);
    return count === 0 ? 'unsatisfiable' : { start: length - count, end: length };
  }
  const start = Number(firstDigits);
  const last = lastDigits === '' ? Infinity : Number(lastDigits);
  // "An int-range is invalid if the last-pos value is present and less than first-pos."
  if (last < start) return undefined;
  return start >= length ? 'unsatisfiable' : { start, end: Math.min(last + 1, length) };
}
