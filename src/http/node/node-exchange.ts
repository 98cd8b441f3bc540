import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Exchange } from '../../core/exchange.js';
import type { RequestInfo } from '../../core/hooks.js';
import { parseInteger } from '../../protocol/integer.js';
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
  readonly #options: NodeExchangeOptions;
  readonly #response: ServerResponse;
  // Nearly no request needs them, and a signal costs as much as a call to the file system.
  #disconnected: AbortController | undefined;
  #abandoned: AbortController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, options: NodeExchangeOptions) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.method = request.method ?? '';
    this.target = requestTarget(request);
    this.bodyLength = bodyLength(request);
    this.body = new NodeBody(request, {
      idleTimeoutMs: options.networkTimeoutMs,
      onFirstRead: () => {
        if (options.continueExpected) response.writeContinue();
      },
    });
    response.once('close', this.#onClose);
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
    if (this.#disconnected === undefined) {
      this.#disconnected = new AbortController();
      if (this.#hasLeft()) this.#disconnected.abort();
    }
    return this.#disconnected.signal;
  }

  /** Work that was begun goes on for a while after the client has left, so that it need not be done again. */
  get signal(): AbortSignal {
    if (this.#abandoned === undefined) {
      this.#abandoned = new AbortController();
      if (this.#hasLeft()) this.#abandonLater(this.#abandoned);
    }
    return this.#abandoned.signal;
  }

  readonly #onClose = (): void => {
    if (!this.#hasLeft()) return;
    this.#disconnected?.abort();
    if (this.#abandoned !== undefined) this.#abandonLater(this.#abandoned);
  };

  /** Whether the client has gone before it got its answer. */
  #hasLeft(): boolean {
    return this.#response.destroyed && !this.#response.writableFinished;
  }

  #abandonLater(abandoned: AbortController): void {
    setTimeout(() => abandoned.abort(), this.#options.requestCompletionTimeoutMs).unref();
  }
}

/**
 * Routers such as Express cut off the prefix that they are mounted at and keep the whole target in `originalUrl`.
 * A proxy may send the absolute form, which every server has to accept (RFC 9112, 3.2.2).
 */
export function requestTarget(request: IncomingMessage): string {
  const target =
    'originalUrl' in request && typeof request.originalUrl === 'string'
      ? request.originalUrl
      : (request.url ?? '');
  return target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '');
}

function bodyLength({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined;
  return parseInteger(headers['content-length'] ?? '0');
}
