import { writeFileSync } from 'node:fs';
import { drawChart } from './chart.js';
import { parseOptions, usage } from './options.js';
import { formatSetting, formatTable, toJson } from './report.js';
import { runBench } from './run-bench.js';
import { findContenders } from './servers.js';
import { createWorkloads } from './workloads.js';

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('The figures come from /proc: Linux is needed');
  const options = parseOptions(process.argv.slice(2));
  const workloads = createWorkloads(options.quick).filter(
    ({ name }) => options.only?.includes(name) ?? true,
  );
  const contenders = findContenders(options, console.log);
  console.log(formatSetting(options, contenders));
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupt.abort(new Error('Interrupted')));
  }
  const results = await runBench(
    {
      workloads,
      contenders,
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
  if (options.json !== undefined) writeFileSync(options.json, toJson(options, contenders, results));
  if (options.svg !== undefined) writeFileSync(options.svg, drawChart(results));
}

/** On the last line of a terminal; nowhere else. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.error(usage);
  process.exitCode = 2;
});
