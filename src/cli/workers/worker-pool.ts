import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../core/logger.js';
import type { Service } from '../service.js';
import { StartError } from '../start-error.js';
import { type WorkerExit, WorkerProcess } from './worker-process.js';

/** A worker that lives shorter than this has a reason that will be there again. */
const settledMs = 5000;
const firstPauseMs = 100;
const longestPauseMs = 10_000;

export interface WorkerPoolOptions {
  readonly count: number;
  readonly logger: Logger;
}

/**
 * Workers that share a listener. This process serves nobody: each connection goes to the worker that has the fewest.
 * Workers that die are replaced.
 *
 * `node:cluster` would not do. Its round robin forgets a connection that is on its way to a worker that dies: the client
 * hangs. And where workers accept for themselves, one often gets all four uploads that begin at the same time.
 */
export class WorkerPool implements Service {
  readonly listener: Server;
  readonly #options: WorkerPoolOptions;
  readonly #alive = new Set<WorkerProcess>();
  /** Those that take connections; who got the last one stands at the end. */
  readonly #ready = new Set<WorkerProcess>();
  /** Connections that came while nobody took any. */
  readonly #waiting = new Set<Socket>();
  readonly #closing = new AbortController();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.listener = createServer({ pauseOnConnect: true, noDelay: true }, (socket) =>
      this.#give(socket),
    );
  }

  async start(): Promise<void> {
    const numbers = Array.from({ length: this.#options.count }, (_, index) => index + 1);
    try {
      const workers = await Promise.all(numbers.map((number) => this.#startFirst(number)));
      workers.forEach((worker, index) => void this.#keepRunning(index + 1, worker));
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.listener.close();
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
    const workers = [...this.#alive];
    for (const worker of workers) worker.shutDown();
    const exits = await Promise.all(workers.map(({ exited }) => exited));
    // Why, the worker has said itself.
    const failed = exits.find(({ exitCode = 0 }) => exitCode !== 0);
    if (failed !== undefined) throw new Error(`a worker ${describeExit(failed)}`);
  }

  abandon(): void {
    this.#closing.abort();
    for (const worker of this.#alive) worker.kill();
  }

  /** The first of its number: if it cannot start, the command cannot. */
  async #startFirst(number: number): Promise<WorkerProcess> {
    const worker = this.#launch(number, false);
    const exit = await Promise.race([worker.ready, worker.exited]);
    if (exit === undefined) return worker;
    throw new StartError(`unable to start worker ${number}: it ${describeExit(exit)}`);
  }

  async #keepRunning(number: number, first: WorkerProcess): Promise<void> {
    let worker = first;
    let failures = 0;
    for (;;) {
      const startedAt = performance.now();
      const exit = await worker.exited;
      if (this.#closing.signal.aborted) return;
      failures = performance.now() - startedAt < settledMs ? failures + 1 : 0;
      const pauseMs = pauseAfter(failures);
      const { pid } = worker;
      this.#options.logger.log('warn', 'WorkerExited', { worker: number, pid, ...exit, pauseMs });
      try {
        await delay(pauseMs, undefined, { signal: this.#closing.signal });
      } catch {
        return;
      }
      worker = this.#launch(number, true);
    }
  }

  #launch(number: number, isReplacement: boolean): WorkerProcess {
    const worker = new WorkerProcess(number, isReplacement, process.argv.slice(2));
    this.#alive.add(worker);
    void worker.exited.then(() => {
      this.#alive.delete(worker);
      this.#ready.delete(worker);
    });
    void worker.ready.then(() => {
      this.#options.logger.log('info', 'WorkerStarted', { worker: number, pid: worker.pid });
      this.#ready.add(worker);
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const socket of waiting) this.#give(socket);
    });
    return worker;
  }

  #give(socket: Socket): void {
    // A lost connection is the worker's to notice.
    socket.on('error', () => undefined);
    const [first, ...others] = this.#ready;
    if (first === undefined) {
      this.#waiting.add(socket);
      return;
    }
    const chosen = others.reduce(
      (least, worker) => (worker.connections < least.connections ? worker : least),
      first,
    );
    this.#ready.delete(chosen);
    this.#ready.add(chosen);
    chosen.take(socket);
  }
}

/** None after a good life; else twice as long each time. */
function pauseAfter(failures: number): number {
  return failures === 0 ? 0 : Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
}

function describeExit({ error, exitCode, signal }: WorkerExit): string {
  if (error !== undefined) return `could not be started (${error.message})`;
  return signal === undefined ? `exited with ${exitCode}` : `was ended by ${signal}`;
}
