import type { Random } from './random.js';

/**
 * What happens to an upload on its way.
 *
 * - `abort`: the client closes its connection in the middle of a request, and comes back
 * - `reset`: the connection is reset
 * - `silence`: the connection goes half-open: the server sees neither bytes nor an end, and the client gives up
 * - `kill`: the server gets SIGKILL
 * - `terminate`: the server gets SIGTERM
 */
export const faultKinds = ['abort', 'reset', 'silence', 'kill', 'terminate'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** The byte of the upload at which it happens. */
  readonly position: number;
  /** How long the client stays away after an abort or in a silence, in milliseconds. */
  readonly pauseMs: number;
  /** Only after an abort: the client waits until the server has let go of the connection. */
  readonly patient: boolean;
}

/** As many of each kind, in random order, one at a random byte of each of `count` equal stretches. */
export function planFaults(count: number, size: number, random: Random): Fault[] {
  const kinds = random.shuffled(
    Array.from({ length: count }, (_, index) => faultKinds[index % faultKinds.length] ?? 'abort'),
  );
  let aborts = 0;
  return kinds.map((kind, index) => ({
    kind,
    // Something is left after the last one, so that what it did can be seen.
    position: Math.floor(((index + random.fraction()) / count) * size * 0.97) + 1,
    pauseMs: random.below(2) === 0 ? 0 : random.below(100),
    patient: kind === 'abort' && aborts++ % 2 === 0,
  }));
}
