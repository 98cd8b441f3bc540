import type { Body } from '../core/body.js';
import { TusError } from '../core/errors.js';

/** The request bodies that are being stored at this moment: what a shutdown has to interrupt and wait for. */
export class RunningBodies {
  readonly #bodies = new Set<Body>();
  #closing = false;
  #whenEmpty: (() => void) | undefined;

  /**
   * Takes note of a body while `store` runs.
   * @throws TusError ERR_SERVER_SHUTDOWN once the server is going down.
   */
  async during<T>(body: Body, store: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new TusError('ERR_SERVER_SHUTDOWN');
    this.#bodies.add(body);
    try {
      return await store();
    } finally {
      this.#bodies.delete(body);
      if (this.#bodies.size === 0) this.#whenEmpty?.();
    }
  }

  /** Interrupts all, refuses new ones, and resolves when what had arrived is stored. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#bodies.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    for (const body of this.#bodies) body.stop('shutdown');
    await empty;
  }
}
