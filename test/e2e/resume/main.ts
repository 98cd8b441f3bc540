import { randomInt } from 'node:crypto';
import { parseOptions, usage } from './options.js';
import { formatOptions, formatReport } from './report.js';
import { runResume } from './run-resume.js';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const seed = options.seed ?? randomInt(2 ** 32);
  console.log(formatOptions(options, seed));
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('Interrupted')));
  const result = await runResume({ ...options, seed, signal: interrupt.signal });
  console.log(formatReport(options, result));
  console.log(result.problems.length === 0 ? 'ok' : `FAILED, seed ${seed}`);
  process.exitCode = result.problems.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.error(usage);
  process.exitCode = 2;
});
