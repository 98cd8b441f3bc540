import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { beginPatch, create, head, patch } from './tus-client.js';
import { Tuskd } from './tuskd.js';

const usage = `npm run scaling -- --redis URL --s3-endpoint URL --s3-bucket NAME
  What a PATCH of 64 KiB, a HEAD, and taking over an upload cost with each kind of store and locks.
  Redis and the S3 server must be running, and the bucket be there; credentials as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
  --uploads 5     of 100 PATCHes each, for each setup
  --takeovers 50  in one process, and between two
  --kills 3       each of which waits for the end of a lease`;

const chunk = Buffer.alloc(64 * 1024, 'x');
const chunks = 100;

interface Setup {
  readonly name: string;
  readonly flags: readonly string[];
  /** Its locks are for more than one process. */
  readonly isShared: boolean;
}

interface Running extends Setup {
  /** The second one is the first where there can be only one. */
  servers: [Tuskd, Tuskd];
  readonly times: Readonly<Record<Measured, number[]>>;
}

const measured = ['PATCH', 'HEAD', 'same process', 'other process', 'after kill -9'] as const;
type Measured = (typeof measured)[number];

const { values } = parseArgs({
  options: {
    redis: { type: 'string' },
    's3-endpoint': { type: 'string' },
    's3-bucket': { type: 'string' },
    uploads: { type: 'string', default: '5' },
    takeovers: { type: 'string', default: '50' },
    kills: { type: 'string', default: '3' },
  },
});

function setups(directory: string): readonly Setup[] {
  const { redis, 's3-endpoint': endpoint, 's3-bucket': bucket } = values;
  if (redis === undefined || endpoint === undefined || bucket === undefined) throw new Error(usage);
  const redisFlags = ['-locker=redis', `-redis-url=${redis}`];
  const s3Flags = [`-s3-bucket=${bucket}`, `-s3-endpoint=${endpoint}`];
  const disk = (name: string): string => `-upload-dir=${join(directory, name)}`;
  return [
    { name: 'disk, locks in files', flags: [disk('file')], isShared: true },
    { name: 'disk, locks in Redis', flags: [disk('redis'), ...redisFlags], isShared: true },
    { name: 'S3, locks in memory', flags: s3Flags, isShared: false },
    { name: 'S3, locks in Redis', flags: [...s3Flags, ...redisFlags], isShared: true },
  ];
}

async function start(setup: Setup): Promise<Running> {
  const first = await Tuskd.start(setup.flags);
  const second = setup.isShared ? await Tuskd.start(setup.flags) : first;
  const times = {
    PATCH: [],
    HEAD: [],
    'same process': [],
    'other process': [],
    'after kill -9': [],
  };
  return { ...setup, servers: [first, second], times };
}

/** One upload in many requests to one server, on one connection. */
async function measureRequests({ servers: [{ url }], times }: Running): Promise<void> {
  const upload = url + (await create(url, chunks * chunk.byteLength));
  for (let count = 0; count < chunks; count++) {
    times.PATCH.push(await time(() => patch(upload, count * chunk.byteLength, chunk)));
    // The last one is asked of a finished upload.
    if (count < chunks - 1) times.HEAD.push(await time(() => head(upload)));
  }
}

/** How long the HEAD waits of a client that comes back while its PATCH still hangs in the middle. */
async function measureTakeover({ servers, times }: Running, at: 0 | 1): Promise<void> {
  const id = await create(servers[0].url, 2 * chunk.byteLength);
  const hanging = await beginPatch(servers[0].url + id, 2 * chunk.byteLength, chunk);
  const taken = await time(() => head(servers[at].url + id));
  times[at === 0 ? 'same process' : 'other process'].push(taken);
  hanging.destroy();
}

/** The same, where the process with the PATCH is killed first. */
async function measureKill(running: Running): Promise<void> {
  const [first, second] = running.servers;
  const id = await create(first.url, 2 * chunk.byteLength);
  await beginPatch(first.url + id, 2 * chunk.byteLength, chunk);
  await first.kill();
  running.times['after kill -9'].push(await time(() => head(second.url + id)));
  running.servers = [await Tuskd.start(running.flags), second];
}

async function time(work: () => Promise<void>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

/** In turns, so that what the machine does besides hits all alike. */
async function repeat(
  times: number,
  all: readonly Running[],
  work: (one: Running) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < times; round++) for (const one of all) await work(one);
}

function report(all: readonly Running[]): void {
  const rows = [['median / 99 % in ms', ...measured]].concat(
    all.map(({ name, times }) => [name, ...measured.map((key) => describe(times[key]))]),
  );
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  for (const row of rows) {
    console.log(`| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`);
  }
}

function describe(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [median, high] = [0.5, 0.99].map((share) => sorted[Math.floor(share * sorted.length)]);
  return median === undefined || high === undefined ? '' : `${round(median)} / ${round(high)}`;
}

function round(milliseconds: number): string {
  return milliseconds.toFixed(milliseconds < 100 ? 1 : 0);
}

async function measureAll(all: readonly Running[]): Promise<void> {
  const shared = all.filter(({ isShared }) => isShared);
  await repeat(1, all, measureRequests);
  // So far, code was loaded and compiled.
  for (const { times } of all) for (const key of measured) times[key].length = 0;
  await repeat(Number(values.uploads), all, measureRequests);
  await repeat(Number(values.takeovers), all, (one) => measureTakeover(one, 0));
  await repeat(Number(values.takeovers), shared, (one) => measureTakeover(one, 1));
  await repeat(Number(values.kills), shared, measureKill);
}

const scratch = mkdtempSync(join(tmpdir(), 'tuskd-scaling-'));
const all: Running[] = [];
try {
  for (const setup of setups(scratch)) all.push(await start(setup));
  await measureAll(all);
  report(all);
} finally {
  await Promise.all(all.flatMap(({ servers }) => servers.map((server) => server.kill())));
  rmSync(scratch, { recursive: true, force: true });
}
