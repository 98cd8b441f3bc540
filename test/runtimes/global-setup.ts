import type { TestProject } from 'vitest/node';
import { remoteRuntimes } from './runtimes.js';
import { startProgram } from './start-program.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the servers of a runtime that is a process of its own are ordered. */
    readonly controlUrl: string;
  }
}

/** Starts the program of the runtime that a project of vitest.config.ts is named for. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runtime = remoteRuntimes.find((name) => name === project.name);
  if (runtime === undefined) throw new Error(`no runtime is called ${project.name}`);
  const program = await startProgram(runtime);
  project.provide('controlUrl', program.controlUrl);
  return () => program.stop();
}
