import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile, type Sample } from '../figures.js';
import { Connection } from '../load/connection.js';
import { headerOf } from '../load/response-reader.js';
import {
  body,
  createUpload,
  patch,
  patchHead,
  requestHead,
  requireStatus,
} from '../load/tus-requests.js';
import type { Place } from '../measure.js';
import { ServerProcess } from '../server-process.js';
import { type Contender, root } from '../servers.js';
import { findProgram } from './find-program.js';
import { s3Environment, startObjectServer } from './object-server.js';

const MiB = 1024 ** 2;
const uploadBytes = 4 * MiB;
const sentBytes = MiB;
/** What was sent is in the server's memory by then; nothing outside tells. */
const receivedMs = 300;
const rounds = 10;

/**
 * Two servers with one bucket and one Redis. A client is silent in the middle of a body to the first, and comes back to
 * the second: how long it waits until that one has answered.
 */
export async function measureTakeover(
  { command = [], createPath = '/files/' }: Contender,
  { uploads, log }: Place,
): Promise<Sample> {
  const started: ServerProcess[] = [];
  const run = async (
    words: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): Promise<ServerProcess> => {
    const server = await ServerProcess.start(words, uploads, log, environment);
    started.push(server);
    return server;
  };
  try {
    const objects = await startObjectServer(uploads, log);
    started.push(objects);
    const redisFlags = ['--port', '{port}', '--bind', '127.0.0.1', '--save', '', '--dir', '{dir}'];
    const redisServer = [findProgram('redis-server') ?? 'redis-server', ...redisFlags];
    const redis = await run(redisServer);
    const url = `redis://127.0.0.1:${redis.port}`;
    const shared = [
      ...command.map((word) => word.replaceAll('{s3}', `http://127.0.0.1:${objects.port}`)),
      '-locker=redis',
      `-redis-url=${url}`,
    ];
    const first = await run(shared, s3Environment);
    const second = await run(shared, s3Environment);
    const waits: { head: number; patch: number }[] = [];
    // The first rounds load code and compile it.
    for (let round = -2; round < rounds; round += 1) {
      const wait = await takeOver(first.port, second.port, createPath);
      if (round >= 0) waits.push(wait);
    }
    const script = join(root, 'bench/servers/lock-latency.mjs');
    return {
      lock: Number(execFileSync(process.execPath, [script, url], { encoding: 'utf8' })),
      takeoverHead: middle(waits.map(({ head }) => head)),
      takeoverPatch: middle(waits.map((wait) => wait.patch)),
    };
  } finally {
    for (const server of started.reverse()) await server.stop();
  }
}

async function takeOver(
  first: number,
  second: number,
  createPath: string,
): Promise<{ head: number; patch: number }> {
  const silent = await Connection.open(first);
  const other = await Connection.open(second);
  try {
    const path = await createUpload(silent, createPath, uploadBytes);
    const answer = silent.request('PATCH', [patchHead(path, 0, uploadBytes), ...body(sentBytes)]);
    // It is told that it was interrupted, or cut off.
    answer.catch(() => undefined);
    await delay(receivedMs);
    const since = performance.now();
    const request = requestHead('HEAD', path, {});
    const { head } = requireStatus(200, await other.request('HEAD', [request]));
    const headAt = performance.now();
    const offset = Number(headerOf(head, 'upload-offset'));
    if (offset !== sentBytes) throw new Error(`Upload-Offset is ${offset} after a takeover`);
    await patch(other, path, offset, uploadBytes - offset);
    return { head: headAt - since, patch: performance.now() - headAt };
  } finally {
    silent.close();
    other.close();
  }
}

function middle(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
