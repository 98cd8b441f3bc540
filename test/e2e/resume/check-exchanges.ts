import type { Exchange } from './exchange-log.js';

/** No request may wait longer than this for one that is dead, in milliseconds. */
const maxWaitMs = 150;
/** Nor longer than this on the busiest machine. */
const maxBusyWaitMs = 5000;

/** What is wrong with what went by, in sentences; nothing if all is well. */
export function checkExchanges(exchanges: readonly Exchange[], size: number): string[] {
  const problems = exchanges.flatMap((exchange, index) =>
    [...problemsOf(exchange, size), ...unexpectedAnswer(exchanges, index)].map(
      (problem) => `${problem}: ${describe(exchange)}`,
    ),
  );
  const creations = exchanges.filter(({ method }) => method === 'POST').length;
  if (creations !== 1) problems.push(`${creations} uploads were created`);
  return [...problems, ...checkLosses(exchanges)];
}

/** Bytes of a broken request that were passed on and have to be sent again, told by the next HEAD. */
export function lostBytes(exchanges: readonly Exchange[], index: number): number | undefined {
  const broken = exchanges[index];
  if (broken?.hitBy === undefined) return undefined;
  const next = exchanges.find((exchange, at) => at > index && exchange.reported !== undefined);
  return next?.method === 'HEAD' && next.reported !== undefined
    ? broken.offset + broken.sent - next.reported
    : undefined;
}

/** A server that was given the time to see a request's end has stored all of it. */
function checkLosses(exchanges: readonly Exchange[]): string[] {
  return exchanges.flatMap((exchange, index) => {
    const lost =
      exchange.hitBy?.patient && exchange.endSeen ? (lostBytes(exchanges, index) ?? 0) : 0;
    return lost === 0 ? [] : [`${lost} bytes that had arrived were lost: ${describe(exchange)}`];
  });
}

function problemsOf(exchange: Exchange, size: number): string[] {
  const { method, reported, floor } = exchange;
  const problems: string[] = [];
  if (reported !== undefined && reported < floor) {
    problems.push(`The offset went back from ${floor} to ${reported}`);
  }
  if (reported !== undefined && reported > size) {
    problems.push(`The offset ${reported} lies behind the end`);
  }
  const { wait } = exchange;
  if (wait !== undefined && (wait.net > maxWaitMs || wait.whole > maxBusyWaitMs)) {
    problems.push(`${method} waited ${wait.whole.toFixed(0)} ms`);
  }
  return problems;
}

/** A server that goes down says 503; and whom a fault has hit gets what may not reach it. */
function unexpectedAnswer(exchanges: readonly Exchange[], index: number): string[] {
  const exchange = exchanges[index];
  if (exchange?.status === undefined || exchange.hitBy !== undefined) return [];
  const { method, status } = exchange;
  if (status < 300 || status === 503) return [];
  // It comes too late, or the other one does and interrupts it.
  return (status === 409 || status === 400) && isOvertaken(exchanges, index)
    ? []
    : [`${method} was answered with ${status}`];
}

/**
 * Whether a broken request to another server may have begun after this one's client had asked for the offset: it was
 * on its way, and nobody could know of it.
 */
function isOvertaken(exchanges: readonly Exchange[], index: number): boolean {
  const asked = exchanges.slice(0, index).findLast(({ method }) => method === 'HEAD');
  if (asked?.answeredAt === undefined) return false;
  const { server, startedAt, answeredAt } = asked;
  return exchanges.some(
    (broken) =>
      broken.hitBy !== undefined &&
      broken.server !== server &&
      broken.startedAt < startedAt &&
      (broken.acceptedAt ?? Infinity) > answeredAt,
  );
}

function describe({ method, server, offset, sent, startedAt, after, hitBy }: Exchange): string {
  const place = method === 'PATCH' ? ` of bytes ${offset} to ${offset + sent}` : '';
  const since = after && `${(startedAt - after.at).toFixed(0)} ms after ${after.fault.kind}`;
  return [
    `${method}${place} on server ${server + 1}`,
    `begun ${since ?? 'before any fault'}`,
    ...(hitBy ? [`hit by ${hitBy.kind}`] : []),
  ].join(', ');
}
