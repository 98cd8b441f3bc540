import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fieldCases } from './field-cases.js';
import { byNumber, findTests, type NamedTest } from './find-tests.js';
import { conformancePage, withoutRun } from './page.js';
import { decisions, needsTest, statements } from './statements.js';

const pagePath = 'docs/conformance.md';
/** Where a case is explained that cannot occur here. */
const casesPath = 'docs/reliability.md';
const casesHeading = '## What has broken elsewhere and has no test of its own here';

/** The tests that statements of the protocol are checked by. */
export function protocolTests(tests: readonly NamedTest[]): Map<string, NamedTest[]> {
  return byNumber(tests.filter(({ file }) => file.startsWith('test/protocol/')));
}

/** What is missing: tests for demands of the protocol and for what has broken elsewhere, and what the page does not say. */
export function findGaps(root: string): string[] {
  const tests = findTests(root);
  const named = protocolTests(tests);
  return [
    ...gapsOfStatements(named),
    ...gapsOfCases(byNumber(tests), readFileSync(join(root, casesPath), 'utf8')),
    ...gapsOfPage(root, named),
  ];
}

function gapsOfStatements(named: ReadonlyMap<string, unknown>): string[] {
  const ids = [...statements.filter(needsTest).map(({ id }) => id), ...Object.keys(decisions)];
  const known = new Set([...statements.map(({ id }) => id), ...ids]);
  const unknown = [...named.keys()].filter((id) => !id.startsWith('field') && !known.has(id));
  return [
    ...ids.filter((id) => !named.has(id)).map((id) => `${id} has no test`),
    ...unknown.map((id) => `${id} is in the name of a test and is no statement`),
  ];
}

function gapsOfCases(named: ReadonlyMap<string, unknown>, page: string): string[] {
  const [, section = ''] = page.split(casesHeading);
  const [ownLines = ''] = section.split(/^## /m);
  const lines = new Set(
    Array.from(ownLines.matchAll(/^- \*\*(field \d+)\*\*.{20,}/gm), ([, id]) => id),
  );
  const known = new Map(Object.entries(fieldCases).map(([id, title]) => [`field ${id}`, title]));
  const gaps: string[] = [];
  for (const [id, title] of known) {
    if (named.has(id) === lines.has(id)) {
      const what = named.has(id) ? 'both a test and' : 'neither a test nor';
      gaps.push(`${id} (${title}) has ${what} a line in ${casesPath}`);
    }
  }
  for (const id of named.keys()) {
    if (id.startsWith('field') && !known.has(id)) gaps.push(`${id} is no case that we know`);
  }
  return gaps;
}

function gapsOfPage(root: string, named: ReadonlyMap<string, readonly NamedTest[]>): string[] {
  const page = readFileSync(join(root, pagePath), 'utf8');
  const gaps: string[] = [];
  if (withoutRun(page) !== withoutRun(conformancePage(root, named))) {
    gaps.push(`${pagePath} does not tell of the tests that there are: npm run conformance`);
  }
  if (/^- .* — .*failed on/m.test(page)) gaps.push(`${pagePath} tells of tests that failed`);
  return gaps;
}
