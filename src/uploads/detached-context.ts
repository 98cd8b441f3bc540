import type { Body } from '../core/body.js';
import type { RequestContext } from '../core/exchange.js';
import type { RequestInfo } from '../core/hooks.js';
import { onAbort } from './on-abort.js';

/**
 * A context for work that ends with `signal` alone, if at all. Hooks and the log are told of the request that caused it, if one did;
 * whether its client is still there does not matter.
 */
export function detachedContext(
  cause: RequestContext | undefined,
  signal: AbortSignal = new AbortController().signal,
): RequestContext {
  return {
    method: cause?.method ?? '',
    target: cause?.target ?? '',
    requestId: cause?.requestId,
    // Read now: later its connection may be gone, and the address with it.
    request: cause?.request ?? noRequest,
    bodyLength: 0,
    body: emptyBody,
    disconnected: signal,
    signal,
    onAbandoned: (callback) => onAbort(signal, callback),
  };
}

const noRequest: RequestInfo = { method: '', uri: '', remoteAddress: '', headers: {} };

const emptyBody: Body = {
  endReason: 'complete',
  next: async () => null,
  stop: () => undefined,
};
