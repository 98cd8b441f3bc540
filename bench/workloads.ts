import type { LoadJob } from './load/load-job.js';
import { createProtocolWorkloads } from './http2/protocol-workloads.js';
import { createS3Workloads } from './s3/s3-workloads.js';

/** One kind of work that every server is given. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Name of the part that it belongs to, by which all of it can be asked for. */
  readonly part?: string;
  /** Too long for every day: only done where its name is given. */
  readonly onDemand?: boolean;
  /** It is also measured in a directory where so many uploads lie. */
  readonly beside?: number;
  /** For servers that keep uploads in S3, and for nobody else. */
  readonly s3?: {
    /** Through what they speak to S3, and what is counted there instead of timing anything. */
    readonly through?: 'proxy' | 'distant proxy';
    /** Two servers with one bucket and one Redis. */
    readonly takeover?: true;
  };
  /** For the protocols that uploads are sent over, and for nobody else. */
  readonly over?: {
    /** How far away the client is; 0 on the same machine. */
    readonly roundTripMs: number;
  };
  /** More runs would tell nothing more, or take too long. */
  readonly maxRuns?: number;
  /** What the load processes do; the server is only started where there is none. */
  readonly load?: Omit<LoadJob, 'port' | 'createPath'> & {
    /** Over which the connections are spread. */
    readonly processes: number;
  };
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** @param quick rough figures in a minute or two instead of good ones in twenty */
export function createWorkloads(quick: boolean): readonly Workload[] {
  const large = quick ? 256 * MiB : 1024 * MiB;
  const durationMs = quick ? 500 : 2000;
  const stalled = quick ? 300 : 1000;
  const beside = quick ? 100_000 : 1_000_000;
  const abandoned = quick ? 10_000 : 100_000;
  const chunks: Workload = {
    name: 'chunks',
    title: 'PATCHes of 64 KiB in a row, one connection',
    load: { kind: 'chunks', connections: 1, processes: 1, bytes: 64 * KiB, durationMs },
  };
  const create: Workload = {
    name: 'create',
    title: 'Uploads of 4 KiB, created with their body, 32 connections',
    load: { kind: 'create', connections: 32, processes: 1, bytes: 4 * KiB, durationMs },
  };
  const head: Workload = {
    name: 'head',
    title: 'HEADs, 32 connections',
    load: { kind: 'head', connections: 32, processes: 1, bytes: 4 * KiB, durationMs },
  };
  return [
    {
      name: 'patch',
      title: `One PATCH of ${large / MiB} MiB`,
      load: { kind: 'patch', connections: 1, processes: 1, bytes: large, durationMs: 0 },
    },
    {
      name: 'parallel',
      title: `Four PATCHes of ${large / MiB} MiB at once`,
      load: { kind: 'patch', connections: 4, processes: 2, bytes: large, durationMs: 0 },
    },
    chunks,
    create,
    head,
    {
      name: 'stalled',
      title: `${stalled} uploads that sent 64 KiB and then stalled`,
      load: { kind: 'stall', connections: stalled, processes: 1, bytes: 64 * KiB, durationMs: 0 },
    },
    {
      name: 'get',
      title: `One GET of ${large / MiB} MiB`,
      load: { kind: 'get', connections: 1, processes: 1, bytes: large, durationMs: 0 },
    },
    {
      name: 'concat',
      title: `Four parts of ${large / MiB / 4} MiB put together`,
      load: { kind: 'concat', connections: 1, processes: 1, bytes: large, durationMs: 0 },
    },
    { name: 'start', title: 'Start-up' },
    ...createChecksumWorkloads(large),
    ...createProtocolWorkloads(quick),
    ...createS3Workloads(quick),
    ...[chunks, create, head].map(({ title, load }) => ({
      name: 'growth',
      title: `Growth: ${title}`,
      onDemand: true as const,
      beside,
      ...(load && { load }),
    })),
    {
      name: 'abandoned',
      title: `${abandoned} uploads that sent 4 KiB of 8 before their connections broke`,
      onDemand: true,
      load: {
        kind: 'abandon',
        connections: abandoned,
        processes: 1,
        bytes: 4 * KiB,
        durationMs: 0,
      },
    },
  ];
}

/** What verifying a body costs, beside one that is not verified. */
function createChecksumWorkloads(bytes: number): Workload[] {
  const load = { kind: 'patch', connections: 1, processes: 1, bytes, durationMs: 0 } as const;
  const size = `One PATCH of ${bytes / MiB} MiB`;
  const algorithms = ['sha1', 'sha256', 'sha512', 'md5', 'crc32', 'crc32c'];
  const group = { part: 'checksum', onDemand: true } as const;
  return [
    { ...group, name: 'checksum-none', title: `${size} without a checksum`, load },
    ...algorithms.map((checksum) => ({
      ...group,
      name: `checksum-${checksum}`,
      title: `${size} with ${checksum}`,
      load: { ...load, checksum },
    })),
  ];
}

/** The same with less memory: it warms up code, and is not measured. Compilers need the time as much as the bytes. */
export function warmUp(load: NonNullable<Workload['load']>): NonNullable<Workload['load']> {
  return {
    ...load,
    // What grows once, code and heap, must have grown before a leak is looked for.
    connections: Math.min(load.connections, load.kind === 'abandon' ? 20_000 : 100),
    bytes: Math.min(load.bytes, 128 * MiB),
  };
}
