import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile, type Sample } from './figures.js';
import { LoadProcess } from './load-process.js';
import type { LoadJob, LoadResult } from './load/load-job.js';
import type { Usage } from './process-group.js';
import { ServerProcess } from './server-process.js';
import type { Contender } from './servers.js';
import { warmUp, type Workload } from './workloads.js';

export type LoadPlan = NonNullable<Workload['load']>;

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;

const ownWriter = './limits/write-files.js';

/** In which a process that has nothing to do gives memory back: V8 takes its time. */
const reduceMs = 15_000;

/** Where a run may write. */
export interface Place {
  /** Where the server keeps what it receives. */
  readonly uploads: string;
  /** For what it says. */
  readonly log: string;
}

/** One run: a new server, warmed up, and then measured. */
export async function measure(
  { command, versionCommand, createPath = '/files/', filesBy, program }: Contender,
  { load }: Workload,
  { uploads, log }: Place,
): Promise<Sample> {
  if (command === undefined) return load === undefined ? {} : measureWriter(load, uploads, program);
  const server = await ServerProcess.start(command, uploads, log);
  try {
    if (load === undefined) return await startSample(server, versionCommand);
    const target = { port: server.port, createPath, ...(filesBy && { filesBy }) };
    await runLoad(warmUp(load), target);
    return await runLoad(load, target, server);
  } catch (error) {
    throw new Error(`${String(error)} ${server.log}`.trim(), { cause: error });
  } finally {
    await server.stop();
  }
}

async function startSample(
  server: ServerProcess,
  versionCommand: readonly string[] | undefined,
): Promise<Sample> {
  const { residentBytes, peakBytes } = await settled(server);
  const memory = { steady: residentBytes / MiB, peak: peakBytes / MiB };
  if (versionCommand === undefined) return { listening: server.startMs, ...memory };
  const [file = '', ...args] = versionCommand;
  const startedAt = performance.now();
  spawnSync(file, args);
  return { listening: server.startMs, version: performance.now() - startedAt, ...memory };
}

/** @param server whose costs are measured; without it, the result is empty */
export async function runLoad(
  plan: LoadPlan,
  target: Pick<LoadJob, 'port' | 'createPath' | 'protocol' | 'filesBy'>,
  server?: ServerProcess,
): Promise<Sample> {
  const { processes, ...load } = plan;
  const job: LoadJob = { ...load, ...target, connections: load.connections / processes };
  const clients = Array.from({ length: processes }, () => new LoadProcess('./load/main.js'));
  try {
    await Promise.all(clients.map((client) => client.prepare(job)));
    const isMemory = load.kind === 'stall' || load.kind === 'abandon';
    const quietMs = load.kind === 'abandon' ? reduceMs : 0;
    if (isMemory && server !== undefined) await settled(server, quietMs);
    const before = server?.usage();
    const results = await Promise.all(clients.map((client) => client.go()));
    const after = server?.usage();
    if (server === undefined || before === undefined || after === undefined) return {};
    const steady = await settled(server, quietMs);
    const memory = { steady: steady.residentBytes / MiB, peak: steady.peakBytes / MiB };
    if (isMemory) return { ...growth(load, before, steady), ...memory };
    const sample = loadSample(load, results, after.cpuMs - before.cpuMs);
    return { ...sample, ...memory, load: loadShare(results) };
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
  }
}

/** The writer is its own load. */
async function measureWriter(
  plan: LoadPlan,
  uploads: string,
  program = ownWriter,
): Promise<Sample> {
  const { processes: _, ...load } = plan;
  const writer = new LoadProcess(program, [uploads]);
  try {
    await writer.prepare({ ...load, port: 0, createPath: '' });
    const result = await writer.go();
    const sample = loadSample(load, [result], result.cpuMs);
    if (program === ownWriter) return sample;
    // What another program does for it is not counted.
    const { cpuPerGiB: _, ...rest } = sample;
    return rest;
  } finally {
    await writer.stop();
  }
}

function growth(
  { kind, connections }: Pick<LoadPlan, 'kind' | 'connections'>,
  before: Usage,
  after: Usage,
): Sample {
  const perUpload = (after.residentBytes - before.residentBytes) / connections / 1024;
  if (kind === 'stall') return { perUpload };
  return { perUpload, before: before.residentBytes / MiB, after: after.residentBytes / MiB };
}

function loadSample(
  { kind }: Pick<LoadJob, 'kind'>,
  results: readonly LoadResult[],
  cpuMs: number,
): Sample {
  const elapsedMs = elapsed(results);
  const latencies = results.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  if (kind === 'patch' || kind === 'get' || kind === 'concat') {
    const bytes = results.reduce((sum, result) => sum + result.bytes, 0);
    return { throughput: bytes / 1e3 / elapsedMs, cpuPerGiB: cpuMs / 1e3 / (bytes / GiB) };
  }
  return {
    rate: (latencies.length / elapsedMs) * 1e3,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpuPerRequest: cpuMs / latencies.length,
  };
}

/** How busy the busiest load process was, in percent of a core: one near 100 may have been what limited the server. */
function loadShare(results: readonly LoadResult[]): number {
  return Math.max(
    ...results.map((result) => (result.cpuMs / (result.endedAtMs - result.startedAtMs)) * 100),
  );
}

function elapsed(results: readonly LoadResult[]): number {
  const startedAt = Math.min(...results.map((result) => result.startedAtMs));
  return Math.max(...results.map((result) => result.endedAtMs)) - startedAt;
}

/**
 * What the server uses once it has taken in what it was sent: when its memory has stopped changing.
 *
 * @param quietMs to wait in any case
 */
export async function settled(server: ServerProcess, quietMs = 0): Promise<Usage> {
  await delay(quietMs);
  let usage = server.usage();
  for (let round = 0; round < 10; round += 1) {
    await delay(200);
    const before = usage.residentBytes;
    usage = server.usage();
    if (Math.abs(usage.residentBytes - before) < before / 200) break;
  }
  return usage;
}
