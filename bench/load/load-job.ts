import type { Protocol } from '../http2/protocols.js';

/** What a load process does: the same for every server. */
export interface LoadJob {
  readonly kind:
    | 'patch'
    | 'chunks'
    | 'series'
    | 'create'
    | 'head'
    | 'stall'
    | 'abandon'
    | 'get'
    | 'concat';
  readonly port: number;
  /** Where uploads are created. */
  readonly createPath: string;
  readonly connections: number;
  /** Of one request's body. */
  readonly bytes: number;
  /** Algorithm of the checksum that each `patch` has; none where it is undefined. */
  readonly checksum?: string;
  /** How many requests one `series` has; their bodies make one whole upload. */
  readonly requests?: number;
  /** How long requests are repeated; each connection has one request only where it is 0. */
  readonly durationMs: number;
  /** How files get to a server that knows no uploads. */
  readonly filesBy?: 'put';
  /** With Node's own client of it; HTTP/1.1 with one of ours, which costs less, where none is named. */
  readonly protocol?: Protocol;
}

export interface LoadResult {
  /** On the clock that all processes of the machine share. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Of the process, user and kernel. */
  readonly cpuMs: number;
  readonly bytes: number;
  /** One for each request. */
  readonly latenciesMs: readonly number[];
  /** Why it did not work; the rest means nothing then. */
  readonly failure?: string;
}

export function isLoadJob(message: unknown): message is LoadJob {
  return typeof message === 'object' && message !== null && 'createPath' in message;
}

export function isLoadResult(message: unknown): message is LoadResult {
  return typeof message === 'object' && message !== null && 'latenciesMs' in message;
}
