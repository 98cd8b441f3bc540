import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { arch, platform, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type NamedTest, titlePattern } from './find-tests.js';
import type { Outcome, Run } from './page.js';

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

/** A test that ran: for each row of a table there is one. */
interface Ended {
  readonly file: string;
  /** Those of the suites it is in, and its own. */
  readonly titles: readonly string[];
  readonly status: string;
}

/** Runs the tests of the protocol on every runtime, one after the other. */
export function runTests(root: string, runtimes: readonly string[]): Run {
  const ended = new Map(runtimes.map((runtime) => [runtime, runOn(root, runtime)]));
  return {
    summary: `Node.js ${process.versions.node} on ${platform()} ${arch()}; ${runtimes.join(', ')}.`,
    runtimesWhere: (test, wanted) =>
      runtimes.filter((runtime) => outcome(test, ended.get(runtime)) === wanted),
  };
}

function runOn(root: string, runtime: string): Ended[] {
  const scratch = mkdtempSync(join(tmpdir(), 'tuskd-conformance-'));
  const path = join(scratch, 'report.json');
  try {
    const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/protocol/'];
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${path}`];
    spawnSync(process.execPath, [...vitest, `--project=${runtime}`, ...reporters], {
      cwd: root,
      stdio: 'inherit',
    });
    const { testResults }: Report = JSON.parse(readFileSync(path, 'utf8'));
    return testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ ancestorTitles, title, status }) => ({
        file: relative(root, name),
        titles: [...ancestorTitles, title],
        status,
      })),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function outcome({ file, title }: NamedTest, ended: readonly Ended[] = []): Outcome {
  const pattern = titlePattern(title);
  const statuses = ended
    .filter((test) => test.file === file && test.titles.some((part) => pattern.test(part)))
    .map(({ status }) => status);
  if (statuses.includes('failed')) return 'failed';
  return statuses.includes('passed') ? 'passed' : 'not run';
}
