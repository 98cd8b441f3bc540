import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FileLockerOptions } from '../../dist/lockers/file/file-locker.js';

interface Reply {
  readonly call?: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly asked?: string;
}

export interface Contention {
  readonly options: FileLockerOptions;
  readonly id: string;
  readonly crowd: number;
  /** Among how many lockers the crowd is spread. */
  readonly lockers: number;
  /** A path that only a holder may touch. */
  readonly witness: string;
}

export interface Haunting {
  readonly options: FileLockerOptions;
  readonly id: string;
  /** Name of an abstract socket; only a holder may listen there. */
  readonly socket: string;
  /** Path of a file. */
  readonly diary: string;
}

/** Another process that uses a file locker: what a test of one process cannot show. */
export class LockProcess {
  readonly #child: ChildProcess;
  readonly #events = new EventEmitter();
  #calls = 0;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('lock-process.mjs', import.meta.url)));
    this.#child.on('message', (reply: Reply) => {
      if (reply.asked !== undefined) this.#events.emit(`asked ${reply.asked}`);
      else this.#events.emit(`call ${reply.call}`, reply);
    });
  }

  /** A process with one locker. */
  static async open(options: FileLockerOptions): Promise<LockProcess> {
    const made = new LockProcess();
    await made.#do('open', options);
    return made;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Takes a lock; with `letGo`, gives it back when asked. */
  async lock(id: string, options: { readonly letGo?: boolean } = {}): Promise<void> {
    await this.#do('lock', { id, ...options });
  }

  async unlock(id: string): Promise<void> {
    await this.#do('unlock', { id });
  }

  /** The next time that it is asked for `id`. */
  async asked(id: string): Promise<void> {
    await once(this.#events, `asked ${id}`);
  }

  /** Resolves with how often a holder was not alone. */
  async contend(contention: Contention): Promise<unknown> {
    return this.#do('contend', contention);
  }

  /** Takes a lock again and again until it is killed, and notes in `diary` each time: `.` where it was alone, else `!`. */
  async haunt(haunting: Haunting): Promise<void> {
    await this.#do('haunt', haunting);
  }

  /** Ends it in order. */
  async close(): Promise<void> {
    await this.#do('close');
    await this.kill('SIGTERM');
  }

  /** Ends it however it likes. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }

  /** Stops or continues it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async #do(command: string, argument?: unknown): Promise<unknown> {
    const call = ++this.#calls;
    const answered: Promise<Reply[]> = once(this.#events, `call ${call}`);
    this.#child.send({ call, command, argument });
    const [reply] = await answered;
    if (reply?.error !== undefined) throw new Error(reply.error);
    return reply?.result;
  }
}
