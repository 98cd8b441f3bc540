/**
 * What a suite needs of a test runner. `node:test`, vitest, mocha and bun all
 * satisfy it; the suites import none of them.
 */
export interface SuiteApi {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
}
