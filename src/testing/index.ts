/** For those who write stores and lockers: the suites that every one of ours passes, and bodies to feed a store with. */
export { describeDataStore } from './data-store-suite.js';
export type { DataStoreBackend, DataStoreSuiteOptions } from './data-store/suite.js';
export { describeLocker } from './locker-suite.js';
export type { LockerBackend, LockerSuiteOptions } from './locker/suite.js';
export { MemoryBody, bodyOf } from './memory-body.js';
export type { BodySource, MemoryBodyOptions } from './memory-body.js';
export type { SuiteApi } from './suite-api.js';
