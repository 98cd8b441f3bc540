import type { Exchange } from './exchange-log.js';

/** No request may wait longer than this for one that is dead, in milliseconds. */
export const maxWaitMs = 150;

/** What is wrong with what went by, in sentences; nothing if all is well. */
export function checkExchanges(exchanges: readonly Exchange[], size: number): string[] {
  const problems = exchanges.flatMap((exchange) =>
    problemsOf(exchange, size).map((problem) => `${problem}: ${describe(exchange)}`),
  );
  const creations = exchanges.filter(({ method }) => method === 'POST').length;
  return creations === 1 ? problems : [...problems, `${creations} uploads were created`];
}

/** How long a request waited until the server began with it, in milliseconds; undefined where nothing shows it. */
export function waitOf(exchange: Exchange): number | undefined {
  const { startedAt, acceptedAt, answeredAt, brokenAt, hitBy } = exchange;
  const servedAt = acceptedAt ?? answeredAt ?? (hitBy === undefined ? brokenAt : undefined);
  return servedAt === undefined ? undefined : servedAt - startedAt;
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

function problemsOf(exchange: Exchange, size: number): string[] {
  const { method, status, reported, floor, hitBy } = exchange;
  const problems: string[] = [];
  if (reported !== undefined && reported < floor) {
    problems.push(`The offset went back from ${floor} to ${reported}`);
  }
  if (reported !== undefined && reported > size) {
    problems.push(`The offset ${reported} lies behind the end`);
  }
  const wait = waitOf(exchange);
  if (wait !== undefined && wait > maxWaitMs) {
    problems.push(`${method} waited ${wait.toFixed(0)} ms`);
  }
  // A server that goes down says 503. Whom a fault has hit gets what may not reach it.
  if (status !== undefined && status >= 300 && status !== 503 && hitBy === undefined) {
    problems.push(`${method} was answered with ${status}`);
  }
  return problems;
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
