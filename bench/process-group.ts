import { readdirSync, readFileSync } from 'node:fs';

/** What the processes of one group use: a server and all that it starts. */
export interface Usage {
  /** User and kernel time of all threads, and of children that have ended. */
  readonly cpuMs: number;
  readonly residentBytes: number;
  /** The most that it ever was; of several processes the sum of theirs. */
  readonly peakBytes: number;
}

/** Clock ticks in /proc are hundredths of a second on every architecture that Node runs on. */
const tickMs = 10;

/** Reads what the group of a process has used up to now, from /proc. */
export function groupUsage(groupId: number): Usage {
  let [cpuMs, residentBytes, peakBytes] = [0, 0, 0];
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? readProc(`${entry}/stat`) : '';
    // Behind the name, which may hold anything: state, parent, group; utime, stime, cutime, cstime.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[2]) !== groupId) continue;
    cpuMs += fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * tickMs;
    const status = readProc(`${entry}/status`);
    residentBytes += bytesOf(status, 'VmRSS');
    peakBytes += bytesOf(status, 'VmHWM');
  }
  return { cpuMs, residentBytes, peakBytes };
}

function bytesOf(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
}

/** Empty for a process that has just gone. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return '';
  }
}
