import { type FigureName, formatNumber, ratioOfMedians } from './figures.js';
import { markdownTable } from './markdown-table.js';
import type { Result } from './run-bench.js';

/** What one workload costs beside many uploads, as a multiple of what it costs in an empty directory. */
export interface Growth {
  readonly workload: string;
  readonly contender: string;
  readonly rate?: number | undefined;
  readonly cpu?: number | undefined;
  readonly p50?: number | undefined;
}

/** Of everything that was measured in both directories. */
export function findGrowth(results: readonly Result[]): readonly Growth[] {
  return results.flatMap((full) => {
    const { workload, contender } = full;
    if (contender.beside === undefined) return [];
    const empty = results.find(
      (candidate) =>
        candidate.workload === workload &&
        candidate.contender.command === contender.command &&
        candidate.contender.beside === undefined,
    );
    if (empty === undefined) return [];
    const ratio = (name: FigureName): number | undefined =>
      ratioOfMedians(full.samples, empty.samples, name);
    return {
      workload: workload.load?.kind ?? workload.name,
      contender: contender.name,
      rate: ratio('rate'),
      cpu: ratio('cpuPerRequest'),
      p50: ratio('p50'),
    };
  });
}

/** A table for the end of a run. */
export function formatGrowth(growth: readonly Growth[]): string {
  const rows = growth.map(({ workload, contender, ...ratios }) => [
    `${contender}, ${workload}`,
    ...[ratios.rate, ratios.cpu, ratios.p50].map((value) =>
      value === undefined ? '' : formatNumber(value, 2),
    ),
  ]);
  const table = markdownTable([['', 'requests/s ×', 'CPU ×', 'p50 ×'], ...rows]);
  return ['### As multiples of an empty directory', '', ...table].join('\n');
}
