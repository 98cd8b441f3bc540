import { lostBytes } from './check-exchanges.js';
import type { Exchange } from './exchange-log.js';
import { faultKinds } from './faults.js';
import { maxMemory, type ResumeOptions, type ResumeResult } from './run-resume.js';

const mebibyte = 1024 ** 2;

/** What happened, for a reader. */
export function formatReport(options: Omit<ResumeOptions, 'signal'>, result: ResumeResult): string {
  const { log, servers, terminations, uploadMs } = result;
  const starts = servers.reduce((sum, server) => sum + server.starts, 0);
  const slowest = Math.max(...servers.map((server) => server.slowestStartMs));
  const speed = options.size / mebibyte / (uploadMs / 1000);
  const sentTwice = log.sent - options.size;
  return [
    ...faultLines(log.exchanges),
    line('requests', requestCounts(log.exchanges)),
    line('HEAD', worstWait(log.exchanges, 'HEAD')),
    line('PATCH', worstWait(log.exchanges, 'PATCH')),
    line('sent twice', `${mib(sentTwice)} (${((sentTwice / options.size) * 100).toFixed(2)} %)`),
    line(
      'memory',
      `${mib(Math.max(...servers.map((s) => s.peakMemory)))} at most, of ${mib(maxMemory)}`,
    ),
    line('servers', `${servers.length}, ${starts} starts of ${ms(slowest)} at most`),
    line(
      'SIGTERM',
      `exit after ${ms(Math.max(...terminations.map((exit) => exit.tookMs)))} at most`,
    ),
    line('speed', `${speed.toFixed(0)} MiB/s, ${(uploadMs / 1000).toFixed(1)} s`),
    line('SHA-256', result.sha256),
    ...result.problems.map((problem) => `  PROBLEM     ${problem}`),
  ].join('\n');
}

/** What is to be run, before it is. */
export function formatOptions(options: Omit<ResumeOptions, 'signal'>, seed: number): string {
  const size = options.size / mebibyte;
  const chunks =
    options.chunkSize === undefined ? 'one request' : `requests of ${mib(options.chunkSize)}`;
  const length = options.deferLength ? ', length told at the end' : '';
  return `${size} MiB in ${chunks}${length}, ${options.servers ?? 1} server(s), seed ${seed}`;
}

function faultLines(exchanges: readonly Exchange[]): string[] {
  return faultKinds.map((kind) => {
    const hits = exchanges.filter(({ hitBy }) => hitBy?.kind === kind);
    const lost = hits.map((hit) => lostBytes(exchanges, exchanges.indexOf(hit)) ?? 0);
    const gaps = hits.map((hit) => takeoverMs(exchanges, hit));
    return line(
      kind,
      `${hits.length}, next bytes taken in after ${ms(Math.max(0, ...gaps))} at most, ` +
        `${mib(Math.max(0, ...lost))} lost at most`,
    );
  });
}

/** From a fault to the moment when the server takes in the next bytes. */
function takeoverMs(exchanges: readonly Exchange[], hit: Exchange): number {
  const next = exchanges.find(
    ({ method, after }) => method === 'PATCH' && after?.fault === hit.hitBy,
  );
  return next?.after === undefined ? 0 : (next.acceptedAt ?? 0) - next.after.at;
}

/** The longest wait after a fault, and the longest without what the machine had to do besides. */
function worstWait(exchanges: readonly Exchange[], method: string): string {
  const waits = exchanges.flatMap((exchange) =>
    exchange.method === method && exchange.wait ? [exchange.wait] : [],
  );
  const whole = Math.max(0, ...waits.map((wait) => wait.whole));
  const net = Math.max(0, ...waits.map((wait) => wait.net));
  return `served after ${ms(whole)} at most, ${ms(net)} without the time the machine was busy`;
}

function requestCounts(exchanges: readonly Exchange[]): string {
  const counts = new Map<string, number>();
  for (const { method, status } of exchanges) {
    const name = `${method} ${status ?? 'unanswered'}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(11)} ${text}`;
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(0)} ms`;
}

function mib(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
