import { cpus, release, totalmem } from 'node:os';
import { figureNames, type FigureName, figures, formatNumber, spreadOf } from './figures.js';
import { markdownTable } from './markdown-table.js';
import type { BenchOptions } from './options.js';
import type { Result } from './run-bench.js';
import type { Contender } from './servers.js';
import type { Growth } from './growth.js';
import type { Comparison } from './summary.js';

/** What was measured where, for a reader. */
export function formatSetting(options: BenchOptions, contenders: readonly Contender[]): string {
  const { model, cores, memoryGiB, kernel, node } = machine();
  const names = contenders
    .filter(({ role }) => role === 'server')
    .map(({ name, version }) => `${name} ${version}`.trim());
  return [
    `${cores} cores of ${model}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}`,
    `${[...new Set(names)].join(', ')}; -fsync=${options.fsync}; uploads in ${options.dir}`,
    `Median of ${options.runs} run(s), in brackets the least and the most`,
  ].join('\n');
}

/** A Markdown table of one workload. */
export function formatTable(results: readonly Result[]): string {
  const columns = figureNames.filter((name) =>
    results.some(({ samples }) => spreadOf(samples, name) !== undefined),
  );
  const header = ['', ...columns.map((name) => figures[name].title)];
  const rows = results.map((result) => [
    result.contender.role === 'limit' ? `_${result.contender.name}_` : result.contender.name,
    ...columns.map((name) => formatCell(result, name)),
  ]);
  const failures = results.flatMap(({ contender, failure }) =>
    failure === undefined ? [] : [`\n${contender.name} failed: ${failure}`],
  );
  return [
    `### ${results[0]?.workload.title}`,
    '',
    ...markdownTable([header, ...rows]),
    ...failures,
  ].join('\n');
}

/** Everything, for other programs. */
export function toJson(
  options: BenchOptions,
  contenders: readonly Contender[],
  results: readonly Result[],
  summary: { readonly beside: readonly Comparison[]; readonly growth: readonly Growth[] },
): string {
  const data = {
    measuredAt: new Date().toISOString(),
    machine: machine(),
    options,
    contenders: contenders.map(({ name, version, role, command }) => ({
      name,
      version,
      role,
      command,
    })),
    results: results.map(({ workload, contender, samples, failure }) => ({
      workload: workload.name,
      title: workload.title,
      load: workload.load,
      contender: contender.name,
      ...(failure !== undefined && { failure }),
      figures: Object.fromEntries(figureNames.map((name) => [name, spreadOf(samples, name)])),
      samples,
    })),
    summary,
  };
  return `${JSON.stringify(data, undefined, 2)}\n`;
}

function formatCell({ samples }: Result, name: FigureName): string {
  const spread = spreadOf(samples, name);
  if (spread === undefined) return '';
  const { digits, spread: tellsSpread } = figures[name];
  const [median, min, max] = [spread.median, spread.min, spread.max].map((value) =>
    formatNumber(value, digits),
  );
  return tellsSpread && samples.length > 1 ? `${median} (${min}–${max})` : `${median}`;
}

interface Machine {
  readonly model: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
}

function machine(): Machine {
  return {
    model: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.versions.node,
  };
}
