import type { ResponderOptions } from './responder.js';

/** What a handler is made of and how it behaves. Only the backend has no default. */
export interface HandlerOptions extends ResponderOptions {
  /**
   * How long a client may send nothing in the middle of a body, or take nothing of an answer, in milliseconds;
   * 60,000 by default (tusd's `-network-timeout`).
   */
  readonly networkTimeoutMs?: number;
  /**
   * How long work goes on after its client has left, in milliseconds; 10,000 by default (tusd's
   * `-request-completion-timeout`).
   */
  readonly requestCompletionTimeoutMs?: number;
}

/** The time limits of an adapter, with what they are by default. */
export function timeoutsOf({
  networkTimeoutMs = 60_000,
  requestCompletionTimeoutMs = 10_000,
}: HandlerOptions): Required<
  Pick<HandlerOptions, 'networkTimeoutMs' | 'requestCompletionTimeoutMs'>
> {
  return { networkTimeoutMs, requestCompletionTimeoutMs };
}
