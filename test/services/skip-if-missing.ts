import type { TestContext } from 'vitest';

/**
 * Skips a test for want of what this machine does not have, and says what that is; fails it where all has to be there, as in
 * CI. Nothing is missing where there is no reason.
 */
export function skipIfMissing(skip: TestContext['skip'], reason: string | undefined): void {
  if (reason === undefined) return;
  if (process.env['TUSKD_TEST_REQUIRE_ALL'] === '1') throw new Error(reason);
  skip(reason);
}
