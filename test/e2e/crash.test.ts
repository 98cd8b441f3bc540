import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { formatReport } from './crash/report.js';
import { runCrashes } from './crash/run-crashes.js';
import { randomInt } from 'node:crypto';

const timeoutMs = 120_000;

/** `npm run crash -- --runs 500` is the same at length; with `--runs 1 --seed N` it makes the run again that failed here. */
describe('A server that is killed at any moment', () => {
  it('field 13: keeps what it has told, and nothing else', { timeout: timeoutMs }, async () => {
    const seed = randomInt(2 ** 31);
    const problems: string[] = [];
    const startedAt = performance.now();
    const results = await runCrashes({
      runs: 20,
      seed,
      fsync: 'off',
      locker: 'auto',
      directory: tmpdir(),
      signal: AbortSignal.timeout(timeoutMs - 5000),
      onFailure: (problem) => problems.push(problem),
    });
    const report = formatReport(results, performance.now() - startedAt);
    expect(problems, `seed ${seed}\n${report}`).toEqual([]);
  });
});
