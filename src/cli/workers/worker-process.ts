import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { isFromWorker, replacesDead, type ToWorker, workerNumber } from './worker-messages.js';

/** How long a connection may be on its way, in milliseconds. */
const arrivalMs = 5000;

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
  #accepted = 0;

  /** @param args the command line, without the command */
  constructor(number: number, isReplacement: boolean, args: readonly string[]) {
    const duties = { [workerNumber]: String(number), [replacesDead]: String(isReplacement) };
    this.#child = fork(script, args, { env: { ...process.env, ...duties } });
    this.ready = new Promise((resolve) => {
      this.#child.on('message', (message) => {
        if (!isFromWorker(message)) return;
        if (message.type === 'ready') resolve();
        else if (message.type === 'closed') this.#accepted -= 1;
        else {
          this.#accepted += 1;
          this.#letGo(message.id);
        }
      });
    });
    this.exited = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve({ error }));
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
    return this.#accepted + this.#handedOver.size;
  }

  /** Hands a connection over to it. */
  take(socket: Socket): void {
    const id = (this.#lastId += 1);
    this.#handedOver.set(id, socket);
    // A worker without free descriptors does not get it, and Node tells nobody. One that is only slow has its own copy.
    socket.setTimeout(arrivalMs, () => this.#letGo(id));
    this.#send({ type: 'connection', id }, socket);
  }

  /** Asks it to finish and to exit. */
  shutDown(): void {
    this.#send({ type: 'shutdown' });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #send(message: ToWorker, socket?: Socket): void {
    // Without keepOpen, Node forgets what is on its way to a worker that dies, without closing it: its client would hang.
    // Errors need no look: what does not arrive is not confirmed.
    this.#child.send(message, socket, { keepOpen: true }, () => undefined);
  }

  /** Our copy only: the worker's stays open. */
  #letGo(id: number): void {
    this.#handedOver.get(id)?.destroy();
    this.#handedOver.delete(id);
  }
}
