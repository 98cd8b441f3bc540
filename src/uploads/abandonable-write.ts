import type { Body } from '../core/body.js';
import type { WriteChunkOptions } from '../core/data-store.js';
import { type ErrorCode, TusError } from '../core/errors.js';

/** What a store is told of one write. Its signal is made when it is read: not every store has to wait for one. */
export class AbandonableWrite implements WriteChunkOptions {
  readonly fence: number | undefined;
  readonly bodyLength: number | undefined;
  readonly provisional: boolean;
  readonly #body: Body;
  #controller: AbortController | undefined;
  #reason: TusError | undefined;

  constructor(
    body: Body,
    fence: number | undefined,
    bodyLength: number | undefined,
    provisional: boolean,
  ) {
    this.#body = body;
    this.fence = fence;
    this.bodyLength = bodyLength;
    this.provisional = provisional;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Why the write was given up; undefined as long as it was not. */
  get reason(): TusError | undefined {
    return this.#reason;
  }

  abandon(code: ErrorCode): void {
    this.#reason ??= new TusError(code);
    this.#body.stop('abandoned');
    this.#controller?.abort(this.#reason);
  }
}
