import { once } from 'node:events';
import { isLoadJob, type LoadJob } from './load-job.js';
import { Meter } from './meter.js';

/** Prepares what is not measured, and returns what is. */
export type Load = (job: LoadJob) => Promise<(meter: Meter) => Promise<void>>;

/**
 * The life of a load process: takes a job, prepares it, waits until it is told to go, sends what it measured. It keeps
 * its connections until it is ended.
 */
export async function runJob(load: Load): Promise<void> {
  process.once('disconnect', () => process.exit());
  const meter = new Meter();
  try {
    const [job]: unknown[] = await once(process, 'message');
    if (!isLoadJob(job)) throw new Error('Not a job');
    const run = await load(job);
    const go = once(process, 'message');
    process.send?.('ready');
    await go;
    meter.start(job.durationMs);
    await run(meter);
    process.send?.(meter.result());
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    process.send?.({ ...meter.result(), failure });
  }
}
