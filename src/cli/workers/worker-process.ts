import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { isFromWorker, type ToWorker } from './worker-messages.js';

const script = fileURLToPath(new URL('worker-main.js', import.meta.url));

/** How a process ended: with a code, or by a signal, or it never ran. */
export interface WorkerExit {
  readonly exitCode?: number | undefined;
  readonly signal?: NodeJS.Signals | undefined;
  readonly error?: Error;
}

/** A worker as the first process sees it. */
export class WorkerProcess {
  /** Resolves when it takes connections; never if it does not come to that. */
  readonly ready: Promise<void>;
  /** Resolves when it is gone. */
  readonly exited: Promise<WorkerExit>;
  readonly #child: ChildProcess;
  /** Connections whose arrival it has not confirmed. */
  readonly #handedOver = new Map<number, Socket>();
  #lastId = 0;
  #connections = 0;

  /** @param args the command line, without the command */
  constructor(args: readonly string[]) {
    this.#child = fork(script, args);
    this.ready = new Promise((resolve) => {
      this.#child.on('message', (message) => {
        if (!isFromWorker(message)) return;
        if (message.type === 'ready') resolve();
        else if (message.type === 'accepted') this.#letGo(message.id);
        else this.#connections -= 1;
      });
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve({ error }));
      this.#child.once('exit', (exitCode, signal) =>
        resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }),
      );
    });
    // It may have read from them, so nobody else could go on with them.
    void this.exited.then(() => {
      for (const id of this.#handedOver.keys()) this.#letGo(id);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How many it has or is about to get. */
  get connections(): number {
    return this.#connections;
  }

  /** Hands a connection over to it. */
  take(socket: Socket): void {
    this.#lastId += 1;
    this.#connections += 1;
    this.#handedOver.set(this.#lastId, socket);
    // Node would not close what is on its way to a worker that dies: its client would wait for ever.
    this.#send({ type: 'connection', id: this.#lastId }, socket);
  }

  /** Asks it to finish and to exit. */
  shutDown(): void {
    this.#send({ type: 'shutdown' });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #send(message: ToWorker, socket?: Socket): void {
    // Whether it arrived shows in what comes back: a confirmation, or the exit.
    this.#child.send(message, socket, { keepOpen: true }, () => undefined);
  }

  /** Our copy only: the worker's stays open. */
  #letGo(id: number): void {
    this.#handedOver.get(id)?.destroy();
    this.#handedOver.delete(id);
  }
}
