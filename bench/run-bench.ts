import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Sample } from './figures.js';
import { fillDirectory } from './fill-directory.js';
import { measureProtocol } from './http2/measure-protocol.js';
import { measure } from './measure.js';
import { measureS3 } from './s3/measure-s3.js';
import { measureTakeover } from './s3/measure-takeover.js';
import type { Contender } from './servers.js';
import type { Workload } from './workloads.js';

/** What one contender did with one workload. */
export interface Result {
  readonly workload: Workload;
  readonly contender: Contender;
  readonly samples: readonly Sample[];
  /** Why there are no more samples. */
  readonly failure: string | undefined;
}

export interface RunOptions {
  readonly workloads: readonly Workload[];
  readonly contenders: readonly Contender[];
  readonly runs: number;
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Told before each run. */
  readonly onProgress: (text: string) => void;
}

/** What a run needs beside its workload and contender. */
interface Setting extends RunOptions {
  /** For everything. */
  readonly directory: string;
}

const tmpfsType = 0x01021994;
const leastTouchedBytes = 1024 ** 3;

/**
 * Measures every contender with one workload after the other, and calls back with each as soon as it is done. Only one
 * server runs at a time; they take turns, so that what the machine does besides hits all alike.
 */
export async function runBench(
  options: RunOptions,
  onWorkload: (results: readonly Result[]) => void,
): Promise<Result[]> {
  const directory = mkdtempSync(join(options.dir, 'tuskd-bench-'));
  try {
    const all: Result[] = [];
    for (const workload of options.workloads) {
      const results = await runWorkload(workload, { ...options, directory });
      onWorkload(results);
      all.push(...results);
    }
    return all;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runWorkload(workload: Workload, setting: Setting): Promise<Result[]> {
  const { directory, signal, onProgress } = setting;
  const runs = Math.min(setting.runs, workload.maxRuns ?? setting.runs);
  const states = takingPart(workload, setting.contenders).map((contender) => ({
    contender,
    samples: new Array<Sample>(),
    failure: noFailure(),
  }));
  if (workload.load !== undefined) touchMemory(directory, workload.load);
  for (let run = 0; run < runs; run += 1) {
    for (const state of states) {
      if (state.failure !== undefined) continue;
      signal.throwIfAborted();
      onProgress(`${workload.name} ${run + 1}/${runs} ${state.contender.name}`);
      try {
        state.samples.push(await inFreshDirectory(directory, workload, state.contender));
      } catch (error) {
        signal.throwIfAborted();
        state.failure = (error instanceof Error ? error.message : String(error)).trim();
      }
    }
  }
  return states.map((state) => ({ workload, ...state }));
}

/** Whether a workload means anything for a contender. */
export function takesPart(contender: Contender, workload: Workload): boolean {
  const { s3, protocol, checksums, concatenates, only, without = [] } = contender;
  const { name, part = name } = workload;
  if ((s3 === true) !== (workload.s3 !== undefined)) return false;
  if ((protocol !== undefined) !== (workload.over !== undefined)) return false;
  if (part === 'checksum' && checksums !== true) return false;
  if (name === 'concat' && concatenates !== true) return false;
  if (only !== undefined && only !== name) return false;
  return !without.includes(name) && !without.includes(part);
}

/** Where it matters what lies in the directory already, each takes part twice. */
function takingPart(workload: Workload, contenders: readonly Contender[]): readonly Contender[] {
  const able = contenders.filter((contender) => takesPart(contender, workload));
  const { beside } = workload;
  if (beside === undefined) return able;
  return able.flatMap((contender) => [
    contender,
    {
      ...contender,
      name: `${contender.name} beside ${beside.toLocaleString('en')} uploads`,
      beside,
    },
  ]);
}

async function inFreshDirectory(
  parent: string,
  workload: Workload,
  contender: Contender,
): Promise<Sample> {
  const directory = join(parent, 'run');
  mkdirSync(join(directory, 'uploads'), { recursive: true });
  try {
    // What the last run left to be written must not slow this one down.
    if (!inMemory(parent)) execFileSync('sync');
    const uploads =
      contender.beside === undefined
        ? join(directory, 'uploads')
        : filled(parent, contender.beside);
    const place = { uploads, log: join(directory, 'log') };
    if (workload.s3?.takeover) return await measureTakeover(contender, place);
    if (workload.s3) return await measureS3(contender, workload, place);
    return await (workload.over ? measureProtocol : measure)(contender, workload, place);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same for all that need one: what runs add to so many does not count. */
function filled(parent: string, uploads: number): string {
  const directory = join(parent, `filled-${uploads}`);
  if (!existsSync(directory)) fillDirectory(directory, uploads);
  return directory;
}

/** The first use of a page of memory costs a virtual machine a trip to its host: all are used once, outside the runs. */
function touchMemory(
  directory: string,
  { connections, bytes }: NonNullable<Workload['load']>,
): void {
  if (!inMemory(directory)) return;
  const path = join(directory, 'touched');
  const block = Buffer.alloc(1024 * 1024);
  const file = openSync(path, 'wx');
  const touchedBytes = Math.max(connections * bytes, leastTouchedBytes);
  for (let left = touchedBytes; left > 0; left -= block.length) writeSync(file, block);
  closeSync(file);
  rmSync(path);
}

function inMemory(directory: string): boolean {
  return statfsSync(directory).type === tmpfsType;
}

function noFailure(): string | undefined {
  return undefined;
}
