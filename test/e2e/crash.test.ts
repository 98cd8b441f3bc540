import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { S3Server } from '../services/s3-server.js';
import { useS3 } from '../services/use-s3.js';
import { formatReport } from './crash/report.js';
import { runCrashes } from './crash/run-crashes.js';

const timeout = 120_000;
/** A busy machine gets through fewer runs. */
const limitMs = 40_000;

/** `npm run crash -- --runs 500` is the same at length; with `--runs 1 --seed N` it makes the run again that failed here. */
describe('field 13: a server that is killed at any moment keeps what it has told, and nothing else', () => {
  it('on a disk', { timeout }, () => checkRuns(20));

  describe('in S3', () => {
    const s3 = useS3();
    it('too', { timeout }, () => checkRuns(5, s3()));
  });
});

async function checkRuns(runs: number, s3?: S3Server): Promise<void> {
  const seed = randomInt(2 ** 31);
  const problems: string[] = [];
  const startedAt = performance.now();
  const results = await runCrashes({
    runs,
    seed,
    s3,
    fsync: 'off',
    locker: 'auto',
    directory: tmpdir(),
    limitMs,
    signal: AbortSignal.timeout(timeout - 5000),
    onFailure: (problem) => problems.push(problem),
  });
  const report = formatReport(results, performance.now() - startedAt);
  expect(problems, `seed ${seed}\n${report}`).toEqual([]);
  expect(results).not.toEqual([]);
}
