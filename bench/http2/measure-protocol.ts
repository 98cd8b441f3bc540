import type { Sample } from '../figures.js';
import { type Place, runLoad } from '../measure.js';
import { ServerProcess } from '../server-process.js';
import type { Contender } from '../servers.js';
import { warmUp, type Workload } from '../workloads.js';
import { DelayProxy } from './delay-proxy.js';

/** One run: a new server, warmed up, and then measured, near or far away. */
export async function measureProtocol(
  { command = [], createPath = '/files/', protocol }: Contender,
  { load, over: { roundTripMs } = { roundTripMs: 0 } }: Workload,
  { uploads, log }: Place,
): Promise<Sample> {
  if (load === undefined || protocol === undefined) return {};
  const server = await ServerProcess.start(command, uploads, log);
  const proxy = roundTripMs > 0 ? await DelayProxy.start(server.port, roundTripMs) : undefined;
  try {
    const target = { port: proxy?.port ?? server.port, createPath, protocol };
    await runLoad(warmUp(load), target);
    return await runLoad(load, target, server);
  } catch (error) {
    throw new Error(`${String(error)} ${server.log}`.trim(), { cause: error });
  } finally {
    proxy?.stop();
    await server.stop();
  }
}
