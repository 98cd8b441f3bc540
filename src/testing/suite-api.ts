/**
 * What a suite needs of a test runner. `node:test`, vitest, mocha and bun all
 * satisfy it; the suites import none of them. What the functions return, if anything, is left alone.
 */
export interface SuiteApi {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}
