import { type AskResult, askHolder } from './ask-holder.js';
import { isErrno } from '../../internal/errno.js';
import type { LockFile } from './lock-file.js';

/**
 * What has become of a holder.
 *
 * - `released`: it has let go
 * - `free`: it lives and does not hold that lock, or the connection broke: look again
 * - `dead`
 * - `silent`: it may live, and cannot be asked but by tusd's `.stop` file
 */
export type HolderFate = 'released' | 'free' | 'dead' | 'silent';

export interface JudgeOptions {
  /** Our own `hostIdentity`. */
  readonly host: string;
  /** What time it is for the file system, in milliseconds since 1970. */
  readonly now: () => Promise<number>;
  /** After how long a lock that was not renewed belongs to the dead, where nothing else tells, in milliseconds. */
  readonly leaseMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks the holder of `found` to let go of `id` and waits for it, if it can be asked; otherwise says at once whether it
 * is dead. An empty ID asks only whether it lives.
 * @throws the signal's reason
 */
export async function judgeHolder(
  found: LockFile,
  id: string,
  options: JudgeOptions,
): Promise<HolderFate> {
  const { address, pid } = found;
  if (address?.host === options.host) {
    const result = await askHolder(address, id, options.signal);
    return fateOf(result, pid) ?? byLease(found, options);
  }
  // A stranger's PID means nothing here; nor does a file that is being written or was cut off by a crash have one.
  if (address !== undefined || pid === undefined) return byLease(found, options);
  // tusd's own. It is not us: in a container, the process before us had our PID, too.
  return pid === process.pid || !isAlive(pid) ? 'dead' : 'silent';
}

function fateOf(result: AskResult, pid: number | undefined): HolderFate | undefined {
  switch (result) {
    case 'released':
    case 'free':
    case 'dead':
      return result;
    case 'closed':
      return 'free';
    case 'missing':
      // Only where endpoints are files, and there PIDs mean the same to everybody.
      return pid !== undefined && !isAlive(pid) ? 'dead' : undefined;
    case 'unreachable':
      return undefined;
  }
}

async function byLease(found: LockFile, options: JudgeOptions): Promise<HolderFate> {
  const ageMs = (await options.now()) - Number(found.modifiedNs / 1_000_000n);
  return ageMs > options.leaseMs ? 'dead' : 'silent';
}

/** Whether a process has this PID. It may be another one by now: then only patience or an operator helps. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, 'ESRCH');
  }
}
