import { type FlagKind, FlagValueError } from './flag-kinds.js';

const units: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  // Go takes the micro sign and the Greek letter alike.
  ['\u00b5s', 1e3],
  ['\u03bcs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

/** What a timer of Node can wait; a longer one fires at once. */
const longestMs = 2 ** 31 - 1;
const hourMs = 3_600_000;

/** A length of time in Go's notation (`1m30s`, `500ms`, `1.5h`), as whole milliseconds, rounded up. */
export function duration({
  minMs = 0,
  maxMs = longestMs,
}: { minMs?: number; maxMs?: number } = {}): FlagKind<number> {
  return {
    placeholder: 'duration',
    parse(value) {
      const milliseconds = Math.ceil(parseNanoseconds(value) / 1e6);
      if (milliseconds < 0) throw new FlagValueError('must not be negative');
      if (milliseconds < minMs) throw new FlagValueError(`must be at least ${minMs}ms`);
      if (milliseconds > maxMs) {
        throw new FlagValueError(`must be at most ${Math.floor(maxMs / hourMs)}h`);
      }
      return milliseconds;
    },
  };
}

function parseNanoseconds(value: string): number {
  const unsigned = value.replace(/^[+-]/, '');
  // The one number that needs no unit.
  if (unsigned === '0') return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)[^\d.]+)+$/.test(unsigned)) {
    throw new FlagValueError('must be a duration such as 60s or 1m30s');
  }
  let total = 0;
  for (const [, amount, unit = ''] of unsigned.matchAll(/([\d.]+)([^\d.]+)/g)) {
    const nanoseconds = units.get(unit);
    if (nanoseconds === undefined) {
      throw new FlagValueError(
        `must have units ns, us, ms, s, m or h, not ${JSON.stringify(unit)}`,
      );
    }
    total += Math.round(Number(amount) * nanoseconds);
  }
  return value.startsWith('-') ? 0 - total : total;
}
