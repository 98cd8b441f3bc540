import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { RunningCommand } from './command-helper.js';
import { HalfSent } from './half-sent.js';

/** Of the uploads that tests begin, and of what they send of them. */
export const size = 1_000_000;
export const sent = 300_000;

/** The PIDs of all workers that have ever started. */
export function workersOf(output: string): number[] {
  return Array.from(output.matchAll(/event=WorkerStarted .*pid=(\d+)/g), ([, pid]) => Number(pid));
}

/** Which worker is at work on an upload: its lock tells. */
export async function holderOf({ path }: HalfSent): Promise<number> {
  return Number.parseInt(await readFile(`${path}.lock`, 'utf8'), 10);
}

/** Two uploads that are being received, one by each of two workers. */
export async function beginOnBoth(command: RunningCommand): Promise<[HalfSent, HalfSent]> {
  const first = await HalfSent.begin(command, size, sent);
  const second = await HalfSent.begin(command, size, sent);
  const holders = await Promise.all([first, second].map(holderOf));
  expect(new Set(holders)).toEqual(new Set(workersOf(command.output())));
  return [first, second];
}
