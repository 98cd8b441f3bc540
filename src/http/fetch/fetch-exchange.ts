import type { Exchange } from '../../core/exchange.js';
import type { RequestInfo } from '../../core/hooks.js';
import { parseInteger } from '../../protocol/integer.js';
import { onAbort } from '../../uploads/on-abort.js';
import { Departure } from '../departure.js';
import { originForm } from '../origin-form.js';
import { FetchBody } from './fetch-body.js';

export interface FetchExchangeOptions {
  readonly networkTimeoutMs: number;
  readonly requestCompletionTimeoutMs: number;
  readonly remoteAddress: string;
}

/**
 * A web `Request` as an {@link Exchange}. Everything is taken from the request at once: Deno's throws when it is asked
 * after its client has gone.
 */
export class FetchExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly bodyLength: number | undefined;
  readonly body: FetchBody;
  /** A web Request has no word for them. */
  readonly mayHaveTrailers = false;
  readonly disconnected: AbortSignal;
  readonly #url: string;
  readonly #headers: Headers;
  readonly #options: FetchExchangeOptions;
  readonly #departure: Departure;
  readonly #forgetClient: () => void;

  constructor({ method, url, headers, body, signal }: Request, options: FetchExchangeOptions) {
    this.method = method;
    this.target = originForm(url);
    this.bodyLength = body === null ? 0 : bodyLength(headers);
    this.disconnected = signal;
    this.#url = url;
    this.#headers = headers;
    this.#options = options;
    this.#departure = new Departure(options.requestCompletionTimeoutMs);
    this.#forgetClient = onAbort(signal, () => this.#departure.leave());
    this.body = new FetchBody(body, {
      idleTimeoutMs: options.networkTimeoutMs,
      length: this.bodyLength,
      disconnected: signal,
    });
  }

  readonly header = (name: string): string | undefined => this.#headers.get(name) ?? undefined;

  get requestId(): string | undefined {
    return this.header('x-request-id')?.slice(0, 36);
  }

  get request(): RequestInfo {
    return {
      method: this.method,
      uri: this.target,
      remoteAddress: this.#options.remoteAddress,
      headers: Object.fromEntries([...this.#headers].map(([name, value]) => [name, [value]])),
    };
  }

  get scheme(): 'http' | 'https' {
    return /^https:/i.test(this.#url) ? 'https' : 'http';
  }

  /** A framework behind a proxy may make its URLs of its own name; what the client sent is in the header. */
  get host(): string | undefined {
    return this.header('host') ?? new URL(this.#url).host;
  }

  get signal(): AbortSignal {
    return this.#departure.signal;
  }

  onAbandoned(callback: () => void): () => void {
    return this.#departure.onAbandoned(callback);
  }

  /** The answer is known: whatever of the body was not asked for, nobody is going to ask for. */
  end(): void {
    this.#forgetClient();
    this.#departure.end();
    this.body.stop('abandoned');
  }
}

/** Over HTTP/2, a body without a length has no header that tells of it. */
function bodyLength(headers: Headers): number | undefined {
  if (headers.has('transfer-encoding')) return undefined;
  return parseInteger(headers.get('content-length') ?? '');
}
