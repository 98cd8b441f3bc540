import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** A test that ran: for each row of a table there is one. */
export interface RecordedTest {
  readonly runtime: string;
  /** Path from the root of the repository. */
  readonly file: string;
  /** Those of the suites it is in, and its own. */
  readonly titles: readonly string[];
  readonly state: string;
}

/** Where the recorder writes, in the environment of vitest. */
export const recordVariable = 'TUSKD_CONFORMANCE_RECORD';

/**
 * A reporter of vitest that notes how each test ended on each runtime, which its JSON does not tell apart. Named by its
 * path, it has to be the default export.
 */
export default class Recorder implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const path = process.env[recordVariable];
    if (path === undefined) throw new Error(`${recordVariable} does not say where to write`);
    const tests = modules.flatMap((module) => Array.from(module.children.allTests(), recorded));
    writeFileSync(path, JSON.stringify(tests));
  }
}

function recorded(test: TestCase): RecordedTest {
  const { name: runtime, config } = test.project;
  const file = relative(config.root, test.module.moduleId).replaceAll('\\', '/');
  const titles: string[] = [];
  for (let part: TestCase['parent'] | TestCase = test; part.type !== 'module'; part = part.parent) {
    titles.unshift(part.name);
  }
  return { runtime, file, titles, state: test.result().state };
}
