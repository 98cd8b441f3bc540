import { randomInt } from 'node:crypto';
import { startVersityGw } from '../../services/start-versitygw.js';
import { parseOptions, usage } from './options.js';
import { formatReport } from './report.js';
import { runCrashes } from './run-crashes.js';

async function main(): Promise<void> {
  // It warns on Node.js 20, for which this version is the last.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const options = parseOptions(process.argv.slice(2));
  const seed = options.seed ?? randomInt(2 ** 31);
  const { runs, backend, fsync, locker } = options;
  console.log(`${runs} runs on ${backend}, seed ${seed}, -fsync ${fsync}, -locker ${locker}`);
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('Interrupted')));
  const s3 = backend === 's3' ? await startVersityGw() : undefined;
  try {
    const startedAt = performance.now();
    const { signal } = interrupt;
    const results = await runCrashes({ ...options, seed, s3, signal, onFailure: console.log });
    console.log(formatReport(results, performance.now() - startedAt));
    const failed = results.filter(({ problems }) => problems.length > 0).length;
    console.log(failed === 0 ? 'ok' : `FAILED: ${failed} of ${runs} runs`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    await s3?.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.error(usage);
  process.exitCode = 2;
});
