import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findGaps, protocolTests } from './find-gaps.js';
import { findTests } from './find-tests.js';
import { conformancePage } from './page.js';
import { runTests } from './run-tests.js';

const root = resolve(import.meta.dirname, '../../../..');

/**
 * Runs the tests of the protocol and writes what they say of it; with `--check` only says what is missing. Other
 * arguments are vitest's: `--project=node` for one runtime.
 */
function main(args: readonly string[]): void {
  if (!args.includes('--check')) {
    const run = runTests(root, args);
    const page = conformancePage(root, protocolTests(findTests(root)), run);
    writeFileSync(join(root, 'docs/conformance.md'), page);
  }
  const gaps = findGaps(root);
  for (const gap of gaps) console.error(gap);
  process.exitCode = gaps.length > 0 ? 1 : 0;
}

main(process.argv.slice(2));
