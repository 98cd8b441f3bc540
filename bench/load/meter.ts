import type { LoadResult } from './load-job.js';

/** Counts and times what one process does. */
export class Meter {
  readonly #latenciesMs: number[] = [];
  #bytes = 0;
  #startedAtMs = 0;
  #startCpu = process.cpuUsage();
  #endsAt = 0;

  /** @param durationMs how long {@link running} holds */
  start(durationMs: number): void {
    this.#startCpu = process.cpuUsage();
    this.#startedAtMs = sharedClockMs();
    this.#endsAt = performance.now() + durationMs;
  }

  /** Whether there is time for another request. */
  get running(): boolean {
    return performance.now() < this.#endsAt;
  }

  async time<Result>(bytes: number, request: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    const result = await request();
    this.#latenciesMs.push(performance.now() - startedAt);
    this.#bytes += bytes;
    return result;
  }

  result(): LoadResult {
    const { user, system } = process.cpuUsage(this.#startCpu);
    return {
      startedAtMs: this.#startedAtMs,
      endedAtMs: sharedClockMs(),
      cpuMs: (user + system) / 1000,
      bytes: this.#bytes,
      latenciesMs: this.#latenciesMs,
    };
  }
}

/** `performance.now()` begins with each process; this one is the same in all. */
function sharedClockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
