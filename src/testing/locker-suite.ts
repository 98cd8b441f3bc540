import assert from 'node:assert/strict';
import { defineAsking } from './locker/asking.js';
import { defineExclusion } from './locker/exclusion.js';
import { defineInstances } from './locker/instances.js';
import { defineLeases } from './locker/leases.js';
import { Suite, type LockerSuiteOptions } from './locker/suite.js';
import { defineWaiting } from './locker/waiting.js';
import type { SuiteApi } from './suite-api.js';

/**
 * Puts a locker to the test of the contract in `Locker`. The locker's capabilities alone choose the cases; each has a
 * backend of its own, so they may run in any order.
 */
export function describeLocker(api: SuiteApi, options: LockerSuiteOptions): void {
  const suite = new Suite(api, options);
  api.describe(options.name, () => {
    suite.test('has the capabilities that the suite was told', async (locker) => {
      assert.deepEqual({ ...locker.capabilities }, { ...suite.capabilities });
    });
    defineExclusion(suite);
    defineAsking(suite);
    defineWaiting(suite);
    defineInstances(suite);
    defineLeases(suite);
  });
}
