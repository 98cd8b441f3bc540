import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A test, or a suite, as its source names it: `%s` and the like stand for what differs in a table. */
export interface NamedTest {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly title: string;
  /** What it is named after: statements, decisions, cases. */
  readonly numbers: readonly string[];
}

const number = '(?:[TD]-\\d+|field \\d+)';
/** A string that is the first argument of a call and begins with numbers and a colon. */
const numbered = new RegExp(
  String.raw`(\.skip|\.todo)?\(\s*(['"\`])((?:${number} )*${number}): ((?:\\.|(?!\2)[^\\])*)\2`,
  'g',
);

/** Finds the tests below `test/` that are named after something, without running them. */
export function findTests(root: string): NamedTest[] {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name.replaceAll('\\', '/')}`)
    .sort()
    .flatMap((file) => testsIn(file, readFileSync(join(root, file), 'utf8')));
}

/** What is switched off checks nothing. What runs where it can, by `skipIf`, does. */
function testsIn(file: string, source: string): NamedTest[] {
  return Array.from(source.matchAll(numbered))
    .filter(([, switchedOff]) => switchedOff === undefined)
    .map(([, , , numbers = '', words = '']) => ({
      file,
      title: `${numbers}: ${words}`,
      numbers: numbers.match(new RegExp(number, 'g')) ?? [],
    }));
}

/** The tests of each number. */
export function byNumber(tests: readonly NamedTest[]): Map<string, NamedTest[]> {
  const found = new Map<string, NamedTest[]>();
  for (const test of tests) {
    for (const id of test.numbers) found.set(id, [...(found.get(id) ?? []), test]);
  }
  return found;
}

/** Matches what a title becomes when its test runs. */
export function titlePattern(title: string): RegExp {
  const literal = title.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return new RegExp(`^${literal.replaceAll(/%[sdifjoOc]|\\\$\\\{.*?\\\}/g, '.*')}$`, 's');
}
