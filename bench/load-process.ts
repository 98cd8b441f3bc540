import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isLoadResult, type LoadJob, type LoadResult } from './load/load-job.js';

/** Longer than any run takes on a slow machine. */
const limitMs = 600_000;

/** A child process that makes load, so that the load's cost is its own. */
export class LoadProcess {
  readonly #child: ChildProcess;
  readonly #gone = new AbortController();

  /** @param script compiled, beside this file */
  constructor(script: string, args: readonly string[] = []) {
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), args);
    this.#child.once('exit', () => this.#gone.abort());
  }

  /** Resolves when the job is prepared. @throws Error where it failed */
  async prepare(job: LoadJob): Promise<void> {
    this.#child.send(job);
    await this.#answer();
  }

  /** Runs what was prepared. @throws Error where it failed */
  async go(): Promise<LoadResult> {
    this.#child.send('go');
    const result = await this.#answer();
    if (isLoadResult(result)) return result;
    throw new Error('Not a result');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async #answer(): Promise<unknown> {
    const [message]: unknown[] = await once(this.#child, 'message', {
      signal: AbortSignal.any([this.#gone.signal, AbortSignal.timeout(limitMs)]),
    });
    if (isLoadResult(message) && message.failure !== undefined) throw new Error(message.failure);
    return message;
  }
}
