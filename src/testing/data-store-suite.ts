import { defineCapabilities } from './data-store/capabilities.js';
import { defineConcatenation } from './data-store/concatenation.js';
import { defineCreation } from './data-store/creation.js';
import { defineFences } from './data-store/fences.js';
import { defineFinishing } from './data-store/finishing.js';
import { defineHostileIds } from './data-store/hostile-ids.js';
import { defineInterruption } from './data-store/interruption.js';
import { defineListing } from './data-store/listing.js';
import { defineProvisional } from './data-store/provisional.js';
import { defineRandomWalk } from './data-store/random-walk.js';
import { defineReading } from './data-store/reading.js';
import { defineRecords } from './data-store/records.js';
import { Suite, type DataStoreSuiteOptions } from './data-store/suite.js';
import { defineTermination } from './data-store/termination.js';
import { defineWriting } from './data-store/writing.js';
import type { SuiteApi } from './suite-api.js';

/**
 * Puts a store to the test of the contract in `DataStore`. The store's capabilities alone choose the cases; each has a
 * backend of its own, so they may run in any order.
 */
export function describeDataStore(api: SuiteApi, options: DataStoreSuiteOptions): void {
  const suite = new Suite(api, options);
  api.describe(options.name, () => {
    defineCapabilities(suite);
    defineCreation(suite);
    defineWriting(suite);
    defineInterruption(suite);
    defineRecords(suite);
    defineFences(suite);
    defineReading(suite);
    defineFinishing(suite);
    defineConcatenation(suite);
    defineProvisional(suite);
    defineTermination(suite);
    defineListing(suite);
    defineHostileIds(suite);
    defineRandomWalk(suite);
  });
}
