import type { RequestContext } from '../core/exchange.js';
import type { RequestInfo } from '../core/hooks.js';

/** What work needs to know of the request that it is done for. */
export type WorkContext = Pick<
  RequestContext,
  'method' | 'target' | 'requestId' | 'request' | 'signal' | 'disconnected'
>;

/** How hooks see work that no request asked for: every string is empty. */
const noRequest: RequestInfo = { method: '', uri: '', remoteAddress: '', headers: {} };

/**
 * For work that the server does until `signal` fires, whether or not a client waits. Hooks and the log are told of the
 * request that caused it, if one did.
 */
export function backgroundContext(
  signal: AbortSignal = new AbortController().signal,
  cause?: WorkContext,
): WorkContext {
  return {
    method: cause?.method ?? '',
    target: cause?.target ?? '',
    requestId: cause?.requestId,
    // Read now: later its connection may be gone, and the address with it.
    request: cause?.request ?? noRequest,
    signal,
    disconnected: signal,
  };
}
