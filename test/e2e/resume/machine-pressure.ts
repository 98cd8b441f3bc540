import { readFileSync } from 'node:fs';

/**
 * For how long so far some process of this machine had to wait for a processor or a disk, in milliseconds. What a
 * request took longer than usual while this grew may be the machine's doing. 0 where the system does not tell.
 */
export function machinePressureMs(): number {
  return (pressureUs('cpu') + pressureUs('io')) / 1000;
}

function pressureUs(resource: 'cpu' | 'io'): number {
  try {
    const text = readFileSync(`/proc/pressure/${resource}`, 'latin1');
    return Number(/^some .*total=(\d+)$/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
