import { TestRunner } from 'vitest';
import { differences } from './differences.js';
import type { Runtime } from './runtimes.js';

declare module 'vitest' {
  interface ProvidedContext {
    readonly runtime: Runtime;
  }
}

/** Skips the test that is running, where it is one that `runtime` cannot pass. */
export function skipWhatDiffers(runtime: Runtime): void {
  if (runtime === 'node') return;
  const reason = differences[runtime][runningTest().name];
  if (reason !== undefined) skipTest(reason);
}

/** Skips the test that is running. */
export function skipTest(reason: string): never {
  return runningTest().context.skip(reason);
}

function runningTest(): NonNullable<ReturnType<typeof TestRunner.getCurrentTest>> {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error('no test is running');
  return test;
}
