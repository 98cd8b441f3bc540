import type { CrashRunResult } from './crash-run.js';

/** What happened in all runs, for a reader. */
export function formatReport(results: readonly CrashRunResult[], tookMs: number): string {
  const moments = results.flatMap((result) => result.moments);
  const hits = results.flatMap((result) => result.hits);
  const uploads = results.reduce((sum, result) => sum + result.uploads, 0);
  const torn = moments.filter((moment) => moment.kind === 'call' && moment.isTorn).length;
  return [
    line('runs', `${results.length}, in ${(tookMs / 1000).toFixed(0)} s`),
    line(
      'crashes',
      `${moments.length}: ${counts(moments.map(({ kind }) => kind))}; ${torn} of them tear a write`,
    ),
    line('hit', counts(hits)),
    line('uploads', String(uploads)),
    line('answers', sums(results.flatMap(({ answers }) => [...answers]))),
  ].join('\n');
}

function counts(names: readonly string[]): string {
  return sums(names.map((name) => [name, 1]));
}

function sums(entries: readonly (readonly [string, number])[]): string {
  const sum = new Map<string, number>();
  for (const [name, count] of entries) sum.set(name, (sum.get(name) ?? 0) + count);
  return [...sum]
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(8)} ${text}`;
}
