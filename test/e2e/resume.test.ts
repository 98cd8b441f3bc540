import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { formatReport } from './resume/report.js';
import { type ResumeOptions, runResume } from './resume/run-resume.js';

const mebibyte = 1024 ** 2;
const timeoutMs = 120_000;

/**
 * The one job of the product, in small. `npm run resume -- --size 4GiB` is the same in large; a seed from a failure
 * here, given there with `--seed`, makes the same faults happen at the same bytes.
 */
describe('An upload of 64 MiB through twenty faults arrives whole', () => {
  const variants: Record<string, Partial<ResumeOptions>> = {
    'in one request': {},
    'in requests of 1 MiB': { chunkSize: mebibyte },
    'with its length told at the end': { chunkSize: 4 * mebibyte, deferLength: true },
    'over two servers on one directory': { servers: 2 },
  };
  it.each(Object.entries(variants))('%s', { timeout: timeoutMs }, async (_name, variant) => {
    const options = { size: 64 * mebibyte, directory: tmpdir(), ...variant };
    const result = await runResume({ ...options, signal: AbortSignal.timeout(timeoutMs - 5000) });

    const explanation = `seed ${result.seed}\n${formatReport(options, result)}`;
    expect(result.problems, explanation).toEqual([]);
  });
});
