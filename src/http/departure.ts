/**
 * The client going away before it has its answer, and what follows from it after a while. Nearly no request needs to
 * hear of it, and an AbortSignal costs as much as two calls to the file system: signals are made when they are read.
 */
export class Departure {
  readonly #graceMs: number;
  readonly #onAbandoned = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #hasLeft = false;
  #hasEnded = false;
  #isAbandoned = false;
  #disconnected: AbortController | undefined;
  #abandoned: AbortController | undefined;

  /** @param graceMs how long work goes on after the client has left, so that it need not be done again */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** The client has gone. */
  leave(): void {
    if (this.#hasLeft || this.#hasEnded) return;
    this.#hasLeft = true;
    this.#disconnected?.abort();
    this.#timer = setTimeout(() => this.#abandon(), this.#graceMs).unref();
  }

  /** All is done for the request. Or many clients that break off would be remembered, each for the whole grace. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  /** Fires when the client has gone. */
  get disconnected(): AbortSignal {
    if (this.#disconnected === undefined) {
      this.#disconnected = new AbortController();
      if (this.#hasLeft) this.#disconnected.abort();
    }
    return this.#disconnected.signal;
  }

  /** Fires when work for the request is to be abandoned. */
  get signal(): AbortSignal {
    if (this.#abandoned === undefined) {
      this.#abandoned = new AbortController();
      if (this.#isAbandoned) this.#abandoned.abort();
    }
    return this.#abandoned.signal;
  }

  /** Calls back when `signal` fires, at once where it has. Returns what ends the waiting. */
  onAbandoned(callback: () => void): () => void {
    if (this.#isAbandoned) callback();
    else this.#onAbandoned.add(callback);
    return () => this.#onAbandoned.delete(callback);
  }

  #abandon(): void {
    this.#isAbandoned = true;
    this.#abandoned?.abort();
    for (const callback of this.#onAbandoned) callback();
  }
}
