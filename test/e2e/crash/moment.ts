import type { Random } from '../resume/random.js';

/**
 * When the server is killed.
 *
 * - `step`: from outside, so many milliseconds after the clients' `count`-th step together (a head, a piece of a body, an answer)
 * - `call`: by itself, at the `count`-th call that changes something on its disk or goes to S3 (`kill-at-call.mjs`); `isTorn`
 *   where a write that is hit leaves half of its bytes
 */
export type Moment =
  | { readonly kind: 'step'; readonly count: number; readonly delayMs: number }
  | { readonly kind: 'call'; readonly count: number; readonly isTorn: boolean };

export function drawMoment(random: Random): Moment {
  const isOutside = random.below(3) === 0;
  const count = 1 + random.below(random.below(2) === 0 ? 30 : 250);
  return isOutside
    ? { kind: 'step', count, delayMs: random.below(2) === 0 ? 0 : random.below(4) }
    : { kind: 'call', count, isTorn: random.below(2) === 0 };
}

export function describeMoment(moment: Moment): string {
  return moment.kind === 'step'
    ? `${moment.delayMs} ms after step ${moment.count} of the clients`
    : `at call ${moment.count} of the server${moment.isTorn ? ', torn' : ''}`;
}

/** What the server's environment says about it. */
export function environmentOf(moment: Moment | undefined): Record<string, string> {
  if (moment?.kind !== 'call') return {};
  return { TUSKD_CRASH_CALL: String(moment.count), TUSKD_CRASH_TORN: String(moment.isTorn) };
}

/** Counts the clients' steps, and calls `kill` where a moment wants it. */
export function stepCounter(moment: Moment | undefined, kill: () => void): () => void {
  let steps = 0;
  return () => {
    steps += 1;
    if (moment?.kind !== 'step' || steps !== moment.count) return;
    if (moment.delayMs === 0) kill();
    else setTimeout(kill, moment.delayMs);
  };
}
