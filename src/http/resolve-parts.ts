import { TusError } from '../core/errors.js';
import { type Base, matchRoute } from './route.js';

/** How a request reached this server. */
export interface RequestPlace {
  /** The request target: path and query. */
  readonly target: string;
  /** Authorities that are this server's, as they stand in an origin or in a Host header. */
  readonly authorities: readonly (string | undefined)[];
}

/** Where relative URLs land. Never looked up: its name is reserved (RFC 6761). */
const here = 'here.invalid';

/**
 * Upload IDs of URLs in any spelling that a request to this server could have: absolute or relative to the request's URL,
 * percent-encoded, with a query. The scheme is not compared, because TLS ends at proxies.
 *
 * @throws TusError ERR_INVALID_CONCAT for a URL that is not the one of an upload here
 */
export function resolveParts(
  urls: readonly string[],
  base: Base,
  { target, authorities }: RequestPlace,
): string[] {
  const requestUrl = `http://${here}${target}`;
  const own = new Set([here, ...authorities.flatMap((authority) => normalize(authority) ?? [])]);
  return urls.map((text, index) => {
    const url = URL.canParse(text, requestUrl) ? new URL(text, requestUrl) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) throw invalid(index, 'is no URL');
    if (!own.has(withoutDefaultPort(url.host))) throw invalid(index, 'is on another server');
    const route = matchRoute(url.pathname, base);
    if (route === undefined || route === 'invalid' || route.id === undefined) {
      throw invalid(index, 'is not the URL of an upload');
    }
    return route.id;
  });
}

/** An authority as the URL parser writes it. */
function normalize(authority: string | undefined): string | undefined {
  const text = `http://${authority ?? ''}`;
  return URL.canParse(text) ? withoutDefaultPort(new URL(text).host) : undefined;
}

/** Of either scheme: 443 may stand in a Host header where the request came without TLS from a proxy. */
function withoutDefaultPort(host: string): string {
  return host.replace(/:(?:80|443)$/, '');
}

function invalid(index: number, problem: string): TusError {
  return new TusError('ERR_INVALID_CONCAT', { detail: `part ${index + 1} ${problem}` });
}
