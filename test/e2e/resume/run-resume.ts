import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkExchanges } from './check-exchanges.js';
import { Client } from './client.js';
import { ExchangeLog } from './exchange-log.js';
import { FaultInjector } from './fault-injector.js';
import { planFaults } from './faults.js';
import { Proxy } from './proxy.js';
import { Random } from './random.js';
import { type Exit, ServerProcess } from './server-process.js';
import { hashFile, writeSource } from './source-file.js';
import { unlessAborted } from './unless-aborted.js';

export interface ResumeOptions {
  /** Bytes of the upload. */
  readonly size: number;
  /** Bytes of a request; undefined sends all in one. */
  readonly chunkSize?: number | undefined;
  readonly deferLength?: boolean;
  /** Processes on one directory. */
  readonly servers?: number;
  readonly faults?: number;
  /** Random when undefined. */
  readonly seed?: number | undefined;
  /** A folder of the run's own is made here, and removed. */
  readonly directory: string;
  /** The built command when undefined. */
  readonly command?: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

export interface ResumeResult {
  readonly seed: number;
  /** What was not as promised, in sentences. */
  readonly problems: readonly string[];
  readonly log: ExchangeLog;
  readonly servers: readonly ServerProcess[];
  readonly terminations: readonly Exit[];
  readonly sha256: string;
  readonly uploadMs: number;
}

/** Bytes of memory that a server may take, whatever the size of the upload. */
export const maxMemory = 150 * 1024 ** 2;
/** No fault lasts that long, and no server should, in milliseconds. */
const stallMs = 15_000;
const watchIntervalMs = 100;
const builtCommand = [process.execPath, 'dist/cli/main.js'];

/** Uploads a file through everything that goes wrong, and tells what was wrong with the result. */
export async function runResume(options: ResumeOptions): Promise<ResumeResult> {
  const folder = await mkdtemp(join(options.directory, 'tuskd-resume-'));
  const uploadDir = join(folder, 'uploads');
  const crashed = new AbortController();
  const servers = Array.from({ length: options.servers ?? 1 }, () => {
    const command = options.command ?? builtCommand;
    const onCrash = (exit: string): void => crashed.abort(new Error(exit));
    return new ServerProcess({ command, uploadDir, onCrash });
  });
  const killAll = (): void => servers.forEach((server) => server.kill());
  process.once('exit', killAll);
  try {
    const signal = AbortSignal.any([options.signal, crashed.signal]);
    const seed = options.seed ?? randomInt(2 ** 32);
    const source = join(folder, 'source');
    const sha256 = await writeSource(source, options.size, seed, signal);
    await Promise.all(servers.map((server) => server.start(signal)));
    const uploaded = await upload({ ...options, seed, signal }, source, servers);
    const last = await Promise.all(servers.map((server) => server.stop('SIGTERM')));
    const terminations = [...uploaded.terminations, ...last].filter((exit) => exit !== undefined);
    const problems = [
      ...uploaded.problems,
      ...checkExchanges(uploaded.log.exchanges, options.size),
      ...checkServers(servers, terminations),
      ...(await checkDirectory(uploadDir, sha256, options.signal)),
    ];
    return { ...uploaded, seed, sha256, servers, terminations, problems };
  } finally {
    await Promise.all(servers.map((server) => server.stop('SIGKILL')));
    process.off('exit', killAll);
    await rm(folder, { recursive: true, force: true });
  }
}

type Uploaded = Pick<ResumeResult, 'log' | 'terminations' | 'problems' | 'uploadMs'>;

/** Ends when the client says that all is done, or with the sentence that says why it does not. */
async function upload(
  options: ResumeOptions & { readonly seed: number },
  source: string,
  servers: readonly ServerProcess[],
): Promise<Uploaded> {
  const random = new Random(options.seed);
  const plan = planFaults(options.faults ?? 20, options.size, random);
  const log = new ExchangeLog();
  const proxy = new Proxy({
    log,
    route: () => {
      const server = random.below(servers.length);
      const port = servers[server]?.port;
      return port === undefined ? undefined : { server, port };
    },
    onBody: (link, exchange) => injector.onBody(link, exchange),
  });
  const client = new Client({
    endpoint: `http://127.0.0.1:${await proxy.listen()}/files/`,
    path: source,
    chunkSize: options.chunkSize,
    deferLength: options.deferLength ?? false,
    keepAlive: servers.length === 1,
  });
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const fail = (error: unknown): void => failed.abort(error);
  const injector = new FaultInjector({ plan, client, servers, log, signal, onError: fail });
  const stopWatching = watch(log, servers, fail);
  const startedAt = performance.now();
  const problems: string[] = [];
  try {
    client.start();
    await unlessAborted(client.done, signal);
  } catch (error) {
    problems.push(`The upload failed: ${String(error)}`);
    fail(error);
  }
  await injector.settle();
  client.abort();
  stopWatching();
  proxy.close();
  if (injector.left > 0) problems.push(`${injector.left} faults did not happen`);
  const { terminations } = injector;
  return { log, terminations, problems, uploadMs: performance.now() - startedAt };
}

/** Looks after the servers' memory, and calls `fail` when nothing moves any more. */
function watch(
  log: ExchangeLog,
  servers: readonly ServerProcess[],
  fail: (error: Error) => void,
): () => void {
  let seen = -1;
  let movedAt = performance.now();
  const timer = setInterval(() => {
    for (const server of servers) server.sampleMemory();
    const now = log.sent + log.exchanges.length;
    if (now !== seen) movedAt = performance.now();
    else if (performance.now() - movedAt > stallMs) fail(new Error(`Nothing moves any more`));
    seen = now;
  }, watchIntervalMs);
  return () => clearInterval(timer);
}

function checkServers(servers: readonly ServerProcess[], terminations: readonly Exit[]): string[] {
  const problems = terminations
    .filter(({ code }) => code !== 0)
    .map(({ code, output }) => `A server ended with ${code} after SIGTERM:\n${output}`);
  const peak = Math.max(...servers.map(({ peakMemory }) => peakMemory));
  if (peak > maxMemory)
    problems.push(`A server took ${Math.round(peak / 1024 ** 2)} MiB of memory`);
  return problems;
}

/** There are the bytes of the source and the record beside them, and nothing else. */
async function checkDirectory(
  uploadDir: string,
  sha256: string,
  signal: AbortSignal,
): Promise<string[]> {
  const names = (await readdir(uploadDir, { recursive: true })).toSorted();
  const [id = ''] = names;
  const problems: string[] = [];
  if (names.length !== 2 || names[1] !== `${id}.info`) {
    const sizes = names.map((name) => `${name} (${statSync(join(uploadDir, name)).size} bytes)`);
    problems.push(`The directory holds ${sizes.join(', ') || 'nothing'}`);
  }
  const data = names.find((name) => names.includes(`${name}.info`));
  const stored = data === undefined ? 'missing' : await hashFile(join(uploadDir, data), signal);
  if (stored !== sha256) problems.push(`The SHA-256 is ${stored}, not ${sha256}`);
  return problems;
}
