import { describe, expect, it } from 'vitest';
import type { DataStore } from '../../dist/core/data-store.js';
import { MemoryStore } from '../../dist/stores/memory/memory-store.js';
import { describeDataStore } from '../../dist/testing/data-store-suite.js';
import { brokenStores } from './broken-stores.js';

/** The cases of the suite by their names, for a memory store that `breakIt` has changed. */
function casesFor(breakIt: (store: DataStore) => DataStore): Map<string, () => Promise<void>> {
  const cases = new Map<string, () => Promise<void>>();
  const path: string[] = [];
  const open = (maxBytes = Infinity) => {
    const backend = new MemoryStore({ maxBytes });
    return Promise.resolve({
      store: breakIt(backend),
      reopen: async () => breakIt(backend),
      close: async () => undefined,
    });
  };
  const api = {
    describe(name: string, body: () => void): void {
      path.push(name);
      body();
      path.pop();
    },
    it(name: string, body: () => Promise<void>): void {
      const fullName = [...path.slice(1), name].join(' > ');
      if (cases.has(fullName)) throw new Error(`two cases are called "${fullName}"`);
      cases.set(fullName, body);
    },
  };
  const { capabilities } = new MemoryStore();
  describeDataStore(api, { name: 'store', capabilities, open: () => open(), openWithRoom: open });
  return cases;
}

function caseNamed(cases: ReadonlyMap<string, () => Promise<void>>, name: string) {
  const run = cases.get(name);
  if (run === undefined) throw new Error(`there is no case "${name}"`);
  return run;
}

describe('the suite for stores', () => {
  const healthy = casesFor((store) => store);

  for (const [bug, { breakIt, noticedBy }] of Object.entries(brokenStores)) {
    const cases = casesFor(breakIt);
    for (const name of noticedBy) {
      it(`notices a store that ${bug}: ${name}`, async () => {
        await expect(caseNamed(healthy, name)()).resolves.toBeUndefined();
        await expect(caseNamed(cases, name)()).rejects.toThrow();
      });
    }
  }

  it('closes what it has opened, also where a case fails', async () => {
    let opened = 0;
    const bodies: (() => Promise<void>)[] = [];
    describeDataStore(
      { describe: (_, body) => body(), it: (_, body) => void bodies.push(body) },
      {
        name: 'store',
        capabilities: { ...new MemoryStore().capabilities, finishing: true },
        async open() {
          opened++;
          return { store: new MemoryStore(), close: async () => void opened-- };
        },
      },
    );
    const results = await Promise.allSettled(bodies.map((body) => body()));
    expect(results.some(({ status }) => status === 'rejected')).toBe(true);
    expect(opened).toBe(0);
  });
});
