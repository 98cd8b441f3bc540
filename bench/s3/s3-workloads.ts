import type { Workload } from '../workloads.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** What servers that keep uploads in S3 are given. */
export function createS3Workloads(quick: boolean): readonly Workload[] {
  const large = (quick ? 256 : 1024) * MiB;
  const parallel = (quick ? 16 : 64) * MiB;
  // Its short form alone takes longer than all that a quick look is meant to take.
  const part = { part: 's3', onDemand: quick };
  const one = { connections: 1, processes: 1, durationMs: 0 } as const;
  return [
    {
      ...part,
      name: 's3-patch',
      title: `S3: one PATCH of ${large / MiB} MiB`,
      s3: {},
      load: { ...one, kind: 'patch', bytes: large },
    },
    ...[1, 10, 100].map((connections) => ({
      ...part,
      name: `s3-parallel-${connections}`,
      title: `S3: ${connections} PATCH${connections === 1 ? '' : 'es'} of ${parallel / MiB} MiB at once`,
      s3: {},
      // Each of them fills a good deal of the memory.
      ...(connections > 10 && { maxRuns: 3 }),
      load: { ...one, kind: 'patch' as const, connections, bytes: parallel },
    })),
    {
      ...part,
      name: 's3-chunks',
      title: 'S3: PATCHes of 64 KiB in a row, one connection',
      s3: {},
      load: { ...one, kind: 'chunks', bytes: 64 * KiB, durationMs: quick ? 1000 : 4000 },
    },
    {
      ...part,
      ...counted('s3-sent', `one PATCH of ${large / MiB} MiB`, large, 1),
    },
    { ...part, ...counted('s3-64m', 'PATCHes of 64 MiB', 64 * MiB, quick ? 2 : 8) },
    { ...part, ...counted('s3-1m', 'PATCHes of 1 MiB', MiB, quick ? 32 : 128) },
    { ...part, ...counted('s3-64k', 'PATCHes of 64 KiB', 64 * KiB, quick ? 128 : 512) },
    {
      ...part,
      name: 's3-takeover',
      title: 'S3: a silent PATCH is taken over by another server, over Redis',
      s3: { takeover: true },
    },
    {
      ...part,
      name: 's3-distance',
      title: 'S3: what 64 KiB wait for, where every answer of S3 takes 50 ms',
      s3: { through: 'distant proxy' },
      maxRuns: 1,
      load: { ...one, kind: 'series', bytes: 64 * KiB, requests: 16 },
    },
  ];
}

/** One upload, of which every byte is counted. It has nothing that differs from run to run. */
function counted(name: string, what: string, bytes: number, requests: number): Workload {
  return {
    name,
    title: `S3: what is sent for an upload of ${(bytes * requests) / MiB} MiB, ${what}`,
    s3: { through: 'proxy' },
    maxRuns: 1,
    load: { kind: 'series', connections: 1, processes: 1, durationMs: 0, bytes, requests },
  };
}
