import type { S3Server } from '../../services/s3-server.js';
import { diskBackend, s3Backend } from './backend.js';
import { crashRun, type CrashRunResult } from './crash-run.js';
import type { CrashOptions } from './options.js';

export interface RunCrashesOptions extends Omit<CrashOptions, 'backend' | 'seed'> {
  /** Of the first run. */
  readonly seed: number;
  /** Keeps the uploads, if they are not to be on the disk. */
  readonly s3?: S3Server | undefined;
  /** No run begins after so many milliseconds; by default all do. */
  readonly limitMs?: number;
  readonly signal: AbortSignal;
  /** Told of each problem, with the seed that makes the run again. */
  readonly onFailure: (problem: string) => void;
}

/** Run after run, each with the next seed. */
export async function runCrashes(options: RunCrashesOptions): Promise<CrashRunResult[]> {
  const { runs, seed: first, s3, fsync, locker, directory, signal, onFailure } = options;
  const end = performance.now() + (options.limitMs ?? Infinity);
  const results: CrashRunResult[] = [];
  for (let seed = first; seed < first + runs && performance.now() < end; seed += 1) {
    const backend =
      s3 === undefined ? await diskBackend(directory, fsync) : await s3Backend(directory, s3);
    try {
      const result = await crashRun({ seed, backend, flags: [`-locker=${locker}`], signal });
      for (const problem of result.problems) onFailure(`seed ${seed}: ${problem}`);
      results.push(result);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    } finally {
      await backend.remove();
    }
  }
  return results;
}
