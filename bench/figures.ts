/** What one run gives. A figure that a workload does not have is left out. */
export type Sample = Readonly<Partial<Record<FigureName, number>>>;

interface Figure {
  readonly title: string;
  readonly digits: number;
  /** Whether the table tells its spread; the JSON has all. */
  readonly spread: boolean;
  readonly better: 'more' | 'less';
}

const table = {
  throughput: { title: 'MB/s', digits: 0, spread: true, better: 'more' },
  rate: { title: 'requests/s', digits: 0, spread: true, better: 'more' },
  before: { title: 'MiB before', digits: 1, spread: true, better: 'less' },
  after: { title: 'MiB after', digits: 1, spread: true, better: 'less' },
  perUpload: { title: 'KiB each', digits: 1, spread: true, better: 'less' },
  listening: { title: 'ms to listening', digits: 0, spread: true, better: 'less' },
  version: { title: 'ms for version', digits: 0, spread: true, better: 'less' },
  lock: { title: 'lock + unlock ms', digits: 2, spread: true, better: 'less' },
  takeoverHead: { title: 'HEAD ms', digits: 1, spread: true, better: 'less' },
  takeoverPatch: { title: 'then PATCH ms', digits: 1, spread: true, better: 'less' },
  p50: { title: 'p50 ms', digits: 2, spread: false, better: 'less' },
  p99: { title: 'p99 ms', digits: 2, spread: false, better: 'less' },
  cpuPerGiB: { title: 'CPU s/GiB', digits: 2, spread: true, better: 'less' },
  cpuPerRequest: { title: 'CPU ms/request', digits: 3, spread: true, better: 'less' },
  gatewayPerGiB: { title: 'S3 CPU s/GiB', digits: 2, spread: false, better: 'less' },
  sent: { title: 'sent ×', digits: 3, spread: false, better: 'less' },
  fetched: { title: 'fetched ×', digits: 3, spread: false, better: 'less' },
  callsPerGiB: { title: 'S3 requests/GiB', digits: 0, spread: false, better: 'less' },
  roundTrips: { title: 'round trips', digits: 1, spread: false, better: 'less' },
  peak: { title: 'peak MiB', digits: 0, spread: false, better: 'less' },
  above: { title: 'above idle MiB', digits: 0, spread: true, better: 'less' },
  files: { title: 'MiB in files', digits: 0, spread: false, better: 'less' },
  steady: { title: 'steady MiB', digits: 0, spread: false, better: 'less' },
  load: { title: 'load %', digits: 0, spread: false, better: 'less' },
} as const satisfies Readonly<Record<string, Figure>>;

export type FigureName = keyof typeof table;

/** Every figure, in the order of the table; the first that a workload has is its main one. */
export const figures: Readonly<Record<FigureName, Figure>> = table;

export const figureNames: readonly FigureName[] = [
  'throughput',
  'rate',
  'perUpload',
  'before',
  'after',
  'listening',
  'version',
  'lock',
  'takeoverHead',
  'takeoverPatch',
  'p50',
  'p99',
  'cpuPerGiB',
  'cpuPerRequest',
  'gatewayPerGiB',
  'sent',
  'fetched',
  'callsPerGiB',
  'roundTrips',
  'peak',
  'above',
  'files',
  'steady',
  'load',
];

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of one figure over all runs; undefined where they do not have it. */
export function spreadOf(samples: readonly Sample[], name: FigureName): Spread | undefined {
  const values = samples.map((sample) => sample[name]).filter((value) => value !== undefined);
  const sorted = values.sort((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  return min === undefined || max === undefined
    ? undefined
    : { median: (at(sorted, 0.5, 'down') + at(sorted, 0.5, 'up')) / 2, min, max };
}

/** One median as a multiple of another; undefined where one of them is not there. */
export function ratioOfMedians(
  samples: readonly Sample[],
  others: readonly Sample[],
  name: FigureName,
): number | undefined {
  const [one, other] = [spreadOf(samples, name), spreadOf(others, name)];
  return one === undefined || other === undefined ? undefined : one.median / other.median;
}

/** The value that a share of all others does not exceed. @param sorted not empty */
export function percentile(sorted: readonly number[], share: number): number {
  return at(sorted, share, 'up');
}

function at(sorted: readonly number[], share: number, round: 'up' | 'down'): number {
  const place = (sorted.length - 1) * share;
  return sorted[round === 'up' ? Math.ceil(place) : Math.floor(place)] ?? Number.NaN;
}

export function formatNumber(value: number, digits: number): string {
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
