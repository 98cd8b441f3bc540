import { compose } from '../core/compose.js';
import type { SweepReport, SweptItem } from '../uploads/sweep.js';
import { Uploads } from '../uploads/uploads.js';
import { errorMessage } from './error-message.js';
import { checkLocker, openLocker } from './open-locker.js';
import { openLog } from './open-log.js';
import { openStore } from './open-store.js';
import type { ParsedFlags } from './parse-flags.js';
import { uploadFlags } from './upload-server.js';

/** A server whose locks this command cannot see stores something of an upload in the making at least so often. */
const quietMs = 300_000;

/**
 * `tuskd sweep`: removes expired uploads and what crashes have left behind, beside servers that run.
 *
 * @returns the exit code: 1 where something could not be swept
 * @throws StartError
 */
export async function runSweep(flags: ParsedFlags, dryRun: boolean): Promise<number> {
  const { logger } = openLog(flags);
  const opened = await openStore(flags, logger);
  await opened.prepare();
  await checkLocker(flags);
  const locker = await openLocker(flags, logger);
  const uploads = new Uploads({
    ...uploadFlags(flags),
    backend: compose({ core: opened.store, locker }),
  });
  const report = await uploads.sweep({
    dryRun,
    ...(locker.capabilities.scope === 'process' && { quietMs }),
    onItem: (item) => process.stdout.write(`${describeItem(item, dryRun)}\n`),
  });
  await uploads.close();
  await locker.close?.();
  opened.close();
  process.stdout.write(describeReport(report, dryRun));
  return report.failed > 0 ? 1 : 0;
}

function describeItem({ id, kind, bytes = 0, error }: SweptItem, dryRun: boolean): string {
  switch (kind) {
    case 'expired':
      return `${id}: ${dryRun ? 'has expired' : 'removed'}, with ${bytes} bytes`;
    case 'orphan':
      return `${id}: ${dryRun ? 'is' : 'removed what was'} left behind by a crash`;
    case 'in-use':
      return `${id}: has expired, but is in use`;
    case 'failed':
      return `${id}: failed: ${errorMessage(error)}`;
  }
}

function describeReport(report: SweepReport, dryRun: boolean): string {
  const removed = dryRun ? 'would be removed' : 'removed';
  return (
    `${report.expired} expired (${report.expiredBytes} bytes), ${report.orphans} left behind by crashes and ` +
    `${report.locks} locks of the dead ${removed}; ${report.inUse} in use, ${report.failed} failed, ${report.seen} seen.\n`
  );
}
