import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { titlePattern } from '../../scripts/conformance/find-tests.js';
import { skipIfMissing } from '../services/skip-if-missing.js';
import { differences } from './differences.js';
import { fetchRuntimes, whyMissing } from './runtimes.js';

const protocolTests = new URL('../protocol/', import.meta.url);
/** Strings that are the first argument of a call: titles of tests, among others. */
const titles = /\(\s*(['`])((?:\\.|(?!\1).)*)\1/g;

describe('runtimes', () => {
  // Each has a project of its own in vitest.config.ts, which is left out where its packages are missing.
  it.for(fetchRuntimes)('the protocol is tested on %s', (runtime, { skip }) => {
    skipIfMissing(skip, whyMissing(runtime));
  });

  it('every test that a runtime cannot pass exists', async () => {
    const patterns: RegExp[] = [];
    for (const name of await readdir(protocolTests)) {
      const text = await readFile(new URL(name, protocolTests), 'utf8');
      for (const [, , title = ''] of text.matchAll(titles)) patterns.push(titlePattern(title));
    }
    const names = Object.values(differences).flatMap((ofRuntime) => Object.keys(ofRuntime));
    const unknown = names.filter((name) => !patterns.some((pattern) => pattern.test(name)));
    expect(unknown).toEqual([]);
  });
});
