import { writeFileSync } from 'node:fs';
import { drawChart } from './chart.js';
import { findGrowth, formatGrowth } from './growth.js';
import { parseOptions, usage } from './options.js';
import { formatSetting, formatTable, toJson } from './report.js';
import { runBench, takesPart } from './run-bench.js';
import { findContenders } from './servers.js';
import { compare, formatSummary } from './summary.js';
import { createWorkloads } from './workloads.js';

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('The figures come from /proc: Linux is needed');
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(usage);
    return;
  }
  const known = createWorkloads(options.quick);
  const wanted = chosen(known, options.only).filter(
    ({ onDemand }) => options.only !== undefined || !onDemand,
  );
  const asked = ['tuskd', ...options.servers.map(({ name }) => name)];
  const contenders = chosen(
    findContenders(options, console.log),
    options.against && [...options.against, ...asked],
  );
  const workloads = wanted.filter((workload) =>
    contenders.some((contender) => takesPart(contender, workload)),
  );
  const takingPart = contenders.filter((contender) =>
    workloads.some((workload) => takesPart(contender, workload)),
  );
  console.log(formatSetting(options, takingPart));
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupt.abort(new Error('Interrupted')));
  }
  const results = await runBench(
    {
      workloads,
      contenders: takingPart,
      runs: options.runs,
      dir: options.dir,
      signal: interrupt.signal,
      onProgress: showProgress,
    },
    (done) => {
      showProgress('');
      console.log(`\n${formatTable(done)}`);
    },
  );
  const summary = { beside: compare(results), growth: findGrowth(results) };
  if (summary.beside.length > 0) console.log(`\n${formatSummary(summary.beside)}`);
  if (summary.growth.length > 0) console.log(`\n${formatGrowth(summary.growth)}`);
  if (options.json !== undefined) {
    writeFileSync(options.json, toJson(options, takingPart, results, summary));
  }
  if (options.svg !== undefined) {
    // Of one row for each workload; S3's have their tables.
    writeFileSync(
      options.svg,
      drawChart(results.filter(({ workload }) => workload.s3 === undefined)),
    );
  }
}

/** Those whose names the user gave, or all. @throws Error with a sentence for the user */
function chosen<Item extends { readonly name: string; readonly part?: string }>(
  items: readonly Item[],
  names: readonly string[] | undefined,
): readonly Item[] {
  const known = new Set(
    items.flatMap(({ name, part }) => (part === undefined ? [name] : [name, part])),
  );
  const wrong = names?.find((name) => name !== '' && !known.has(name));
  if (wrong !== undefined) throw new Error(`${wrong} is none of ${[...known].join(', ')}`);
  if (names === undefined) return items;
  return items.filter(({ name, part = name }) => names.includes(name) || names.includes(part));
}

/** On the last line of a terminal; nowhere else. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? `${error.message} (npm run bench -- --help)` : error);
  process.exitCode = 2;
});
