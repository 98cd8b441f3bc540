import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findGaps, protocolTests } from './find-gaps.js';
import { findTests } from './find-tests.js';
import { conformancePage } from './page.js';
import { runTests } from './run-tests.js';

const root = resolve(import.meta.dirname, '../../../..');

/** Runs the tests of the protocol and writes what they say of it; with `--check` only says what is missing. */
function main(checkOnly: boolean): void {
  if (!checkOnly) {
    const run = runTests(root);
    const page = conformancePage(root, protocolTests(findTests(root)), run);
    writeFileSync(join(root, 'docs/conformance.md'), page);
  }
  const gaps = findGaps(root);
  for (const gap of gaps) console.error(gap);
  process.exitCode = gaps.length > 0 ? 1 : 0;
}

main(process.argv.includes('--check'));
