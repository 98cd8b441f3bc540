import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Exchange } from '../../core/exchange.js';
import type { RequestInfo } from '../../core/hooks.js';
import { parseInteger } from '../../protocol/integer.js';
import { Departure } from '../departure.js';
import { originForm } from '../origin-form.js';
import { NodeBody } from './node-body.js';

export interface NodeExchangeOptions {
  readonly networkTimeoutMs: number;
  readonly requestCompletionTimeoutMs: number;
  /** Whether the client waits for a 100 that Node has not sent. */
  readonly continueExpected: boolean;
}

/** A `node:http` request as an {@link Exchange}. What few requests need is made when it is asked for. */
export class NodeExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly bodyLength: number | undefined;
  readonly body: NodeBody;
  readonly #request: IncomingMessage;
  readonly #departure: Departure;

  constructor(request: IncomingMessage, response: ServerResponse, options: NodeExchangeOptions) {
    this.#request = request;
    this.#departure = new Departure(options.requestCompletionTimeoutMs);
    this.method = request.method ?? '';
    this.target = requestTarget(request);
    this.bodyLength = bodyLength(request);
    this.body = new NodeBody(request, {
      idleTimeoutMs: options.networkTimeoutMs,
      onFirstRead: () => {
        if (options.continueExpected) response.writeContinue();
      },
    });
    const onClose = (): void => {
      if (!response.writableFinished) this.#departure.leave();
    };
    if (response.destroyed) onClose();
    else response.once('close', onClose);
  }

  readonly header = (name: string): string | undefined => {
    const value = this.#request.headers[name];
    return typeof value === 'string' || value === undefined ? value : value.join(', ');
  };

  get requestId(): string | undefined {
    return this.header('x-request-id')?.slice(0, 36);
  }

  get request(): RequestInfo {
    const { remoteAddress = '', remotePort = '' } = this.#request.socket;
    return {
      method: this.method,
      uri: this.target,
      remoteAddress: remoteAddress.includes(':')
        ? `[${remoteAddress}]:${remotePort}`
        : `${remoteAddress}:${remotePort}`,
      // Node leaves no value undefined; its type only allows for asking after any name.
      headers: Object.fromEntries(
        Object.entries(this.#request.headersDistinct).map(([name, values]) => [name, values ?? []]),
      ),
    };
  }

  get scheme(): 'http' | 'https' {
    return this.#request.socket instanceof TLSSocket ? 'https' : 'http';
  }

  get host(): string | undefined {
    return this.header('host');
  }

  get disconnected(): AbortSignal {
    return this.#departure.disconnected;
  }

  get signal(): AbortSignal {
    return this.#departure.signal;
  }

  onAbandoned(callback: () => void): () => void {
    return this.#departure.onAbandoned(callback);
  }

  /** The request is answered, or nobody is left to answer. */
  end(): void {
    this.#departure.end();
  }
}

/** A request, and where routers that cut off the prefix they are mounted at keep its whole target, as Express has it. */
interface RoutedRequest extends IncomingMessage {
  originalUrl?: unknown;
}

/** Keeps the whole target before a router gets the request: some, such as koa-mount, cut the prefix off without a trace. */
export function keepTarget(request: RoutedRequest): void {
  request.originalUrl ??= request.url;
}

/**
 * The target that the client sent. A proxy may send the absolute form, which every server has to accept
 * (RFC 9112, 3.2.2).
 */
export function requestTarget(request: RoutedRequest): string {
  const { originalUrl, url = '' } = request;
  const target = typeof originalUrl === 'string' ? originalUrl : url;
  return originForm(target);
}

function bodyLength({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined;
  return parseInteger(headers['content-length'] ?? '0');
}
