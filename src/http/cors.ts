import type { Exchange } from '../core/exchange.js';
import { isToken } from '../protocol/token.js';
import { type AllowedOrigins, originCheck } from './allowed-origins.js';

/** What pages of other origins may do. Browsers obey it; other clients send no Origin, and are not held up. */
export interface CorsOptions {
  /**
   * Origins whose pages may use the server, their own server's included: a list of them (`https://app.example`), a
   * pattern that the whole origin or a part of it has to match, or a function that says so, now or later. Requests of
   * any other are refused (ERR_ORIGIN_NOT_ALLOWED) before anything happens. Every origin by default (tusd's
   * `-cors-allow-origin`).
   */
  readonly allowedOrigins?: AllowedOrigins;
  /**
   * Pages may send cookies and other credentials. Only with `allowedOrigins`, or every page on the web could act for
   * whoever looks at it (tusd's `-cors-allow-credentials`).
   */
  readonly allowCredentials?: boolean;
  /** Methods that pages may send, beside those that are served here (tusd's `-cors-allow-methods`). */
  readonly allowMethods?: readonly string[];
  /** Headers that pages may send, beside those of the protocol and of downloads (tusd's `-cors-allow-headers`). */
  readonly allowHeaders?: readonly string[];
  /** Headers that pages may read, beside those of the protocol and of downloads (tusd's `-cors-expose-headers`). */
  readonly exposeHeaders?: readonly string[];
  /** How long browsers may remember a preflight, in seconds; 86,400 by default (tusd's `-cors-max-age`). */
  readonly maxAgeSeconds?: number;
  /** Pages from the internet may use a server in a private network (`Access-Control-Allow-Private-Network`). */
  readonly allowPrivateNetwork?: boolean;
}

const allowedHeaders = [
  'Authorization',
  'Origin',
  'X-Requested-With',
  'X-Request-ID',
  'X-HTTP-Method-Override',
  'Content-Type',
  'Upload-Length',
  'Upload-Offset',
  'Upload-Metadata',
  'Upload-Defer-Length',
  'Upload-Concat',
  'Upload-Checksum',
  'Tus-Resumable',
  'Range',
  'If-Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
];

const exposedHeaders = [
  'Location',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Defer-Length',
  'Upload-Concat',
  'Upload-Expires',
  'Tus-Version',
  'Tus-Resumable',
  'Tus-Max-Size',
  'Tus-Extension',
  'Tus-Checksum-Algorithm',
  'ETag',
  'Accept-Ranges',
  'Content-Range',
  'Content-Disposition',
  'Retry-After',
];

/** Who may ask, and what the answers say of it. All that is the same in every answer is made once. */
export class Cors {
  readonly #check: ((origin: string) => boolean | Promise<boolean>) | undefined;
  readonly #credentials: boolean;
  readonly #privateNetwork: boolean;
  readonly #methods: string;
  readonly #headers: string;
  readonly #exposed: string;
  readonly #maxAge: string;

  /** @throws TypeError for options that cannot be meant */
  constructor(options: CorsOptions, methods: readonly string[]) {
    const { allowedOrigins, allowCredentials = false, allowPrivateNetwork = false } = options;
    if (allowCredentials && allowedOrigins === undefined) {
      throw new TypeError('cors.allowCredentials needs cors.allowedOrigins');
    }
    this.#check = allowedOrigins === undefined ? undefined : originCheck(allowedOrigins);
    this.#credentials = allowCredentials;
    this.#privateNetwork = allowPrivateNetwork;
    this.#methods = list(methods, options.allowMethods);
    this.#headers = list(allowedHeaders, options.allowHeaders);
    this.#exposed = list(exposedHeaders, options.exposeHeaders);
    this.#maxAge = String(options.maxAgeSeconds ?? 86_400);
  }

  /** Whether the request comes from no page, or from one that may ask. */
  allows(exchange: Exchange): boolean | Promise<boolean> {
    const origin = exchange.header('origin');
    return origin === undefined || this.#check === undefined || this.#check(origin);
  }

  /**
   * Gives an answer its headers, errors and downloads too: a browser shows a page nothing of an answer without them, not
   * even its status. Where the origin is not allowed, that is as it should be.
   */
  addHeaders(
    headers: Record<string, string>,
    exchange: Exchange,
    method: string,
    isAllowed: boolean,
  ): void {
    // Even where no origin came: a cache must not give this answer to one.
    headers['Vary'] = 'Origin';
    const origin = exchange.header('origin');
    if (origin === undefined || !isAllowed) return;
    headers['Access-Control-Allow-Origin'] = origin;
    if (this.#credentials) headers['Access-Control-Allow-Credentials'] = 'true';
    headers['Access-Control-Expose-Headers'] = this.#exposed;
    if (method === 'OPTIONS') this.#addPreflightHeaders(headers, exchange);
  }

  #addPreflightHeaders(headers: Record<string, string>, exchange: Exchange): void {
    headers['Access-Control-Allow-Methods'] = this.#methods;
    headers['Access-Control-Allow-Headers'] = this.#headers;
    headers['Access-Control-Max-Age'] = this.#maxAge;
    if (!this.#privateNetwork) return;
    headers['Vary'] = 'Origin, Access-Control-Request-Private-Network';
    if (exchange.header('access-control-request-private-network') === 'true') {
      headers['Access-Control-Allow-Private-Network'] = 'true';
    }
  }
}

/** One that could not be sent would spoil every answer. */
function list(ours: readonly string[], additional: readonly string[] = []): string {
  for (const name of additional) {
    if (!isToken(name)) throw new TypeError(`${JSON.stringify(name)} is no name for CORS`);
  }
  return [...new Set([...ours, ...additional])].join(', ');
}
