import type { Readable } from 'node:stream';
import type { Body } from './body.js';
import type { RequestInfo } from './hooks.js';

/** One HTTP request, whatever carries it: what the adapters of runtimes and transports make, all that the rest sees. */
export interface Exchange {
  /** As received, before any override. */
  readonly method: string;
  /** Request target as received: path and query, without the origin. */
  readonly target: string;
  /** Value of a header (lower-case name); several lines are joined by `, `. */
  readonly header: (name: string) => string | undefined;
  /** X-Request-ID, cut to 36 characters: joins the log lines of one request. */
  readonly requestId: string | undefined;
  /** The request for hooks; made when first asked for. */
  readonly request: RequestInfo;
  /** How the client reached this server, as far as the adapter knows: `https` and `example.org:8443`. */
  readonly scheme: 'http' | 'https';
  readonly host: string | undefined;
  /** Bytes that the body will have; undefined where it is not announced. 0 where there is none. */
  readonly bodyLength: number | undefined;
  readonly body: Body;
  /** Whether trailers may follow the body, as far as its headers tell. */
  readonly mayHaveTrailers: boolean;
  /** Fires when the client has gone before it got its answer. */
  readonly disconnected: AbortSignal;
  /** Fires when work for this request is to be abandoned: some time after `disconnected`. */
  readonly signal: AbortSignal;
  /** Calls back when `signal` fires, without the price of a signal. Returns what ends the waiting. */
  onAbandoned(callback: () => void): () => void;
}

/** What the operations see of a request: no header, so that they serve every protocol. */
export type RequestContext = Omit<Exchange, 'header' | 'scheme' | 'host' | 'mayHaveTrailers'>;

/** The answer to an {@link Exchange}. */
export interface Answer {
  readonly status: number;
  /** Names as they shall appear on the wire. */
  readonly headers: Record<string, string>;
  readonly body?: string | Readable | undefined;
}
