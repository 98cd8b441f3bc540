import { TusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import { onAbort } from './on-abort.js';

/**
 * Bounds a wait: its signal fires when the client leaves (with ERR_CONNECTION_RESET as reason) or after `timeoutMs` (with
 * `timeoutError()`), so that whatever throws the signal's reason throws an error with an answer. It is made when it is
 * first read, and the time runs from then: who has nothing to wait for pays nothing.
 */
export class Deadline {
  readonly #context: Pick<RequestContext, 'disconnected'>;
  readonly #timeoutMs: number;
  readonly #timeoutError: () => TusError;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #forget: (() => void) | undefined;

  constructor(
    context: Pick<RequestContext, 'disconnected'>,
    timeoutMs: number,
    timeoutError: () => TusError,
  ) {
    this.#context = context;
    this.#timeoutMs = timeoutMs;
    this.#timeoutError = timeoutError;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#start();
    return this.#controller.signal;
  }

  /** The wait is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#forget?.();
  }

  #start(): AbortController {
    const controller = new AbortController();
    this.#forget = onAbort(this.#context.disconnected, () =>
      controller.abort(new TusError('ERR_CONNECTION_RESET')),
    );
    this.#timer = setTimeout(() => controller.abort(this.#timeoutError()), this.#timeoutMs);
    return controller;
  }
}
