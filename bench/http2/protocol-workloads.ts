import type { Workload } from '../workloads.js';

const MiB = 1024 ** 2;

/** One upload over HTTP/1.1 and HTTP/2, from the same machine and from far away. */
export function createProtocolWorkloads(quick: boolean): readonly Workload[] {
  const near = quick ? 256 * MiB : 1024 * MiB;
  const far = quick ? 64 * MiB : 256 * MiB;
  const one = { kind: 'patch', connections: 1, processes: 1, durationMs: 0 } as const;
  return [
    {
      name: 'http2-patch',
      part: 'http2',
      title: `One PATCH of ${near / MiB} MiB over each protocol`,
      onDemand: quick,
      over: { roundTripMs: 0 },
      load: { ...one, bytes: near },
    },
    {
      name: 'http2-distance',
      part: 'http2',
      title: `One PATCH of ${far / MiB} MiB over each protocol, where a round trip takes 50 ms`,
      onDemand: quick,
      over: { roundTripMs: 50 },
      load: { ...one, bytes: far },
    },
  ];
}
