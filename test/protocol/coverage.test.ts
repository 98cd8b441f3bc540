import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

/** Statements of tus 1.0.0 that are covered here: core, creation, creation-with-upload, termination, concatenation. */
const statements = [
  ...numbers('T', 1, 83),
  ...numbers('T', 111, 138),
  ...numbers('D', 1, 7),
  'D-013',
  ...numbers('D', 17, 21),
];
/** Of the checksum extension, which is not built. */
const notBuilt = new Set(['D-005']);
/** The numbers that a title begins with, also where it is the first cell of a table. */
const titles = /['"`]((?:(?:[TD]-\d{1,3}|field \d{1,2})[ :'])+)/g;

describe('the tests of this folder', () => {
  it('name every statement of the protocol that they are to cover', async () => {
    const named = new Set<string>();
    for (const name of await readdir(import.meta.dirname)) {
      if (!name.endsWith('.test.ts') || name === 'coverage.test.ts') continue;
      const text = await readFile(new URL(name, import.meta.url), 'utf8');
      for (const [title] of text.matchAll(titles)) {
        for (const [, letter, number = ''] of title.matchAll(/([TD])-(\d{1,3})/g)) {
          named.add(`${letter}-${number.padStart(3, '0')}`);
        }
      }
    }
    const missing = statements.filter((number) => !named.has(number) && !notBuilt.has(number));
    expect(missing).toEqual([]);
  });
});

function numbers(letter: string, first: number, last: number): string[] {
  const count = last - first + 1;
  return Array.from(
    { length: count },
    (_, index) => `${letter}-${String(first + index).padStart(3, '0')}`,
  );
}
