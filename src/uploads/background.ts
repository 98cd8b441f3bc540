import type { RequestContext } from '../core/exchange.js';
import type { RequestInfo } from '../core/hooks.js';

/** What work needs to know of the request that it is done for. */
export type WorkContext = Pick<
  RequestContext,
  'method' | 'target' | 'requestId' | 'request' | 'signal' | 'disconnected'
>;

/** How hooks see work that no request asked for: every string is empty. */
const noRequest: RequestInfo = { method: '', uri: '', remoteAddress: '', headers: {} };

/** For work that the server does of its own accord, until `signal` fires. */
export function backgroundContext(signal: AbortSignal): WorkContext {
  return {
    method: '',
    target: '',
    requestId: undefined,
    request: noRequest,
    signal,
    disconnected: signal,
  };
}
