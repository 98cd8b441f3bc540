import { type FigureName, formatNumber, ratioOfMedians, spreadOf } from './figures.js';
import { markdownTable } from './markdown-table.js';
import type { Result } from './run-bench.js';

/** Whom tuskd is to be held against. */
const other = '@tus/server';

/** How tuskd did with one workload beside {@link other}, by medians. What a workload does not have is left out. */
export interface Comparison {
  readonly workload: string;
  readonly contender: string;
  /** MB/s or requests/s, as a multiple of the other's. */
  readonly speed?: number | undefined;
  /** CPU time for the same work, as a multiple of the other's. */
  readonly cpu?: number | undefined;
  /** Of tuskd itself. */
  readonly cpuPerGiB?: number | undefined;
  readonly perUpload?: number | undefined;
  readonly peak?: number | undefined;
  /** How many times the median the slowest hundredth takes. */
  readonly tail?: number | undefined;
}

/** Everything that tuskd and the other server were both measured with. */
export function compare(results: readonly Result[]): readonly Comparison[] {
  return results.flatMap((result) => {
    const { workload, contender } = result;
    if (!contender.name.startsWith('tuskd') || workload.beside !== undefined) return [];
    const rival = results.find(
      (candidate) => candidate.workload === workload && candidate.contender.name === other,
    );
    const comparison = rival && compareOne(result, rival);
    // Counts alone, as of what is sent to S3, are in the tables.
    return comparison?.peak === undefined ? [] : [comparison];
  });
}

/** A table for the end of a run. */
export function formatSummary(comparisons: readonly Comparison[]): string {
  const header = [
    '',
    'speed ×',
    'CPU ×',
    ...['CPU s/GiB', 'KiB each', 'peak MiB', 'p99/p50'].map((title) => `tuskd ${title}`),
  ];
  const rows = comparisons.map(({ workload, contender, ...figures }) => [
    contender === 'tuskd' ? workload : `${workload}, ${contender}`,
    cell(figures.speed, 2),
    cell(figures.cpu, 2),
    cell(figures.cpuPerGiB, 2),
    cell(figures.perUpload, 1),
    cell(figures.peak, 0),
    cell(figures.tail, 1),
  ]);
  return [`### tuskd beside ${other}`, '', ...markdownTable([header, ...rows])].join('\n');
}

function compareOne(own: Result, rival: Result): Comparison {
  const ratio = (name: FigureName): number | undefined =>
    ratioOfMedians(own.samples, rival.samples, name);
  const [p50, p99] = [median(own, 'p50'), median(own, 'p99')];
  const figures = {
    speed: ratio('throughput') ?? ratio('rate'),
    cpu: ratio('cpuPerGiB') ?? ratio('cpuPerRequest'),
    cpuPerGiB: median(own, 'cpuPerGiB'),
    perUpload: median(own, 'perUpload'),
    peak: median(own, 'peak'),
    tail: p50 !== undefined && p99 !== undefined ? p99 / p50 : undefined,
  };
  return { workload: own.workload.name, contender: own.contender.name, ...figures };
}

function median({ samples }: Result, name: FigureName): number | undefined {
  return spreadOf(samples, name)?.median;
}

function cell(value: number | undefined, digits: number): string {
  return value === undefined ? '' : formatNumber(value, digits);
}
