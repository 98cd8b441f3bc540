import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sample } from '../figures.js';
import type { LoadPlan, Place } from '../measure.js';
import { runLoad, settled } from '../measure.js';
import { ServerProcess } from '../server-process.js';
import type { Contender } from '../servers.js';
import type { Workload } from '../workloads.js';
import { CountingProxy, type Traffic } from './counting-proxy.js';
import { s3Environment, startObjectServer } from './object-server.js';
import { PeakOfFiles } from './peak-of-files.js';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** About that of a bucket on another continent. */
const distantMs = 50;
/** The first upload loads what a server loads late; after it, the server is idle. */
const firstUpload = { kind: 'patch', connections: 1, processes: 1, durationMs: 0 } as const;

/** One run: a new S3 server with an empty bucket, and a new server before it. */
export async function measureS3(
  { command = [], createPath = '/files/' }: Contender,
  { load, s3: { through } = {} }: Workload,
  { uploads, log }: Place,
): Promise<Sample> {
  if (load === undefined) return {};
  const objects = await startObjectServer(uploads, log);
  const delayMs = through === 'distant proxy' ? distantMs : 0;
  const proxy = through && (await CountingProxy.start(objects.port, delayMs));
  const endpoint = `http://127.0.0.1:${proxy?.port ?? objects.port}`;
  const withEndpoint = command.map((word) => word.replaceAll('{s3}', endpoint));
  const temporary = join(uploads, '..', 'temporary');
  mkdirSync(temporary);
  const files = new PeakOfFiles(temporary);
  let server: ServerProcess | undefined;
  try {
    // Some keep parts in files: those are in memory, too.
    const environment = { ...s3Environment, TMPDIR: temporary };
    server = await ServerProcess.start(withEndpoint, uploads, log, environment);
    const target = { port: server.port, createPath };
    await runLoad({ ...firstUpload, bytes: MiB }, target);
    if (proxy !== undefined) {
      const before = proxy.traffic;
      const { p50 = 0 } = await runLoad(load, target, server);
      if (delayMs > 0) return { roundTrips: p50 / delayMs };
      return counted(load, before, proxy.traffic);
    }
    const idle = await settled(server);
    await runLoad({ ...firstUpload, bytes: Math.min(load.bytes, 64 * MiB) }, target);
    const beforeMs = objects.usage().cpuMs;
    const sample = await runLoad(load, target, server);
    const gatewayMs = objects.usage().cpuMs - beforeMs;
    return {
      ...sample,
      ...(sample.throughput !== undefined && { gatewayPerGiB: gatewayMs / 1e3 / inGiB(load) }),
      above: (sample.peak ?? 0) - idle.residentBytes / MiB,
      files: files.bytes / MiB,
    };
  } catch (error) {
    throw new Error(`${String(error)} ${(server ?? objects).log}`.trim(), { cause: error });
  } finally {
    files.stop();
    await server?.stop();
    proxy?.stop();
    await objects.stop();
  }
}

function counted(load: LoadPlan, before: Traffic, after: Traffic): Sample {
  const bytes = inGiB(load) * GiB;
  return {
    sent: (after.sentBytes - before.sentBytes) / bytes,
    fetched: (after.fetchedBytes - before.fetchedBytes) / bytes,
    callsPerGiB: (after.requests - before.requests) / inGiB(load),
  };
}

function inGiB({ bytes, connections, requests = 1 }: LoadPlan): number {
  return (bytes * connections * requests) / GiB;
}
