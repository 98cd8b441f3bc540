import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NamedTest, titlePattern } from './find-tests.js';
import type { Outcome, Run } from './page.js';
import { type RecordedTest, recordVariable } from './recorder.js';

/**
 * Runs the tests of the protocol, on every runtime that is installed.
 *
 * @param args of vitest, beside the tests
 */
export function runTests(root: string, args: readonly string[]): Run {
  const tests = recordTests(root, args);
  const runtimes = [...new Set(tests.map(({ runtime }) => runtime))].sort(nodeFirst);
  return {
    summary: `Node.js ${process.versions.node} on ${platform()} ${arch()}; ${runtimes.join(', ')}.`,
    runtimesWhere: (test, wanted) =>
      runtimes.filter((runtime) => outcomeOf(test, runtime, tests) === wanted),
  };
}

function recordTests(root: string, args: readonly string[]): RecordedTest[] {
  const scratch = mkdtempSync(join(tmpdir(), 'tuskd-conformance-'));
  const path = join(scratch, 'record.json');
  try {
    const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/protocol/'];
    const recorder = join(import.meta.dirname, 'recorder.js');
    const reporters = ['--reporter=default', `--reporter=${recorder}`];
    spawnSync(process.execPath, [...vitest, ...reporters, ...args], {
      cwd: root,
      env: { ...process.env, [recordVariable]: path },
      stdio: 'inherit',
    });
    const tests: RecordedTest[] = JSON.parse(readFileSync(path, 'utf8'));
    return tests;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function outcomeOf(
  { file, title }: NamedTest,
  runtime: string,
  tests: readonly RecordedTest[],
): Outcome {
  const pattern = titlePattern(title);
  const states = tests
    .filter((test) => test.runtime === runtime && test.file === file)
    .filter(({ titles }) => titles.some((part) => pattern.test(part)))
    .map(({ state }) => state);
  if (states.includes('failed')) return 'failed';
  return states.includes('passed') ? 'passed' : 'not run';
}

function nodeFirst(one: string, other: string): number {
  return Number(other === 'node') - Number(one === 'node') || one.localeCompare(other);
}
