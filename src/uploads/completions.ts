import { TusError } from '../core/errors.js';
import type { Outcome } from '../core/outcome.js';

interface Completion {
  readonly controller: AbortController;
  readonly outcome: Promise<Outcome>;
}

/**
 * Final uploads that are being completed at this moment, each once in this process: whoever wants the same one shares the
 * work. It may take longer than any client waits, so it belongs to no request: a shutdown or a termination ends it.
 */
export class Completions {
  readonly #running = new Map<string, Completion>();
  readonly #background = new Set<Promise<void>>();
  #closing = false;

  isRunning(id: string): boolean {
    return this.#running.has(id);
  }

  /** @throws TusError ERR_SERVER_SHUTDOWN once the server is going down, and whatever the work throws. */
  share(id: string, work: (signal: AbortSignal) => Promise<Outcome>): Promise<Outcome> {
    const running = this.#running.get(id);
    if (running !== undefined) return running.outcome;
    if (this.#closing) return Promise.reject(new TusError('ERR_SERVER_SHUTDOWN'));
    const controller = new AbortController();
    const outcome = work(controller.signal).finally(() => this.#running.delete(id));
    this.#running.set(id, { controller, outcome });
    return outcome;
  }

  /** Runs what nobody waits for but a shutdown; nothing once the server is going down. `work` MUST NOT throw. */
  inBackground(work: () => Promise<void>): void {
    if (this.#closing) return;
    const running = work().finally(() => this.#background.delete(running));
    this.#background.add(running);
  }

  /** Ends the work on an upload that is to go, and waits until it has ended. */
  async interrupt(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.controller.abort(new TusError('ERR_UPLOAD_NOT_FOUND'));
    await Promise.allSettled([running.outcome]);
  }

  /** Ends all work, refuses more, and resolves when nothing runs any more. The next request or server goes on with it. */
  async close(): Promise<void> {
    this.#closing = true;
    const running = [...this.#running.values()];
    for (const { controller } of running) controller.abort(new TusError('ERR_SERVER_SHUTDOWN'));
    await Promise.allSettled([...running.map(({ outcome }) => outcome), ...this.#background]);
  }
}
