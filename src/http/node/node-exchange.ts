import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Exchange } from '../../core/exchange.js';
import type { RequestInfo } from '../../core/hooks.js';
import { parseInteger } from '../../protocol/integer.js';
import { Departure } from '../departure.js';
import { originForm } from '../origin-form.js';
import { NodeBody } from './node-body.js';
import { isGone, isHttp2, type NodeRequest, type NodeResponse } from './node-message.js';

export interface NodeExchangeOptions {
  readonly networkTimeoutMs: number;
  readonly requestCompletionTimeoutMs: number;
  /** Whether the client waits for a 100 that Node has not sent. */
  readonly continueExpected: boolean;
}

/** A request of `node:http` or `node:http2` as an {@link Exchange}. What few requests need is made when it is asked for. */
export class NodeExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly bodyLength: number | undefined;
  readonly body: NodeBody;
  readonly #request: NodeRequest;
  readonly #departure: Departure;

  constructor(request: NodeRequest, response: NodeResponse, options: NodeExchangeOptions) {
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
    onDeparture(request, response, () => this.#departure.leave());
  }

  readonly header = (name: string): string | undefined => {
    const value = this.#request.headers[name];
    return typeof value === 'string' || value === undefined ? value : value.join(', ');
  };

  get requestId(): string | undefined {
    return this.header('x-request-id')?.slice(0, 36);
  }

  get request(): RequestInfo {
    const { remoteAddress = '', remotePort = '' } = clientOf(this.#request);
    return {
      method: this.method,
      uri: this.target,
      remoteAddress: remoteAddress.includes(':')
        ? `[${remoteAddress}]:${remotePort}`
        : `${remoteAddress}:${remotePort}`,
      headers: distinctHeaders(this.#request),
    };
  }

  get scheme(): 'http' | 'https' {
    const request = this.#request;
    if (isHttp2(request)) return request.scheme === 'https' ? 'https' : 'http';
    return request.socket instanceof TLSSocket ? 'https' : 'http';
  }

  get host(): string | undefined {
    return isHttp2(this.#request) ? this.#request.authority : this.header('host');
  }

  /** Over HTTP/1.1, a body whose length is told ends with its last byte. */
  get mayHaveTrailers(): boolean {
    const request = this.#request;
    return isHttp2(request) || request.headers['transfer-encoding'] !== undefined;
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
type RoutedRequest = NodeRequest & { originalUrl?: unknown };

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

function bodyLength(request: NodeRequest): number | undefined {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined) return undefined;
  // Over HTTP/2, a body without a length has no header that tells of it.
  const none = isHttp2(request) && !request.stream.endAfterHeaders ? '' : '0';
  return parseInteger(headers['content-length'] ?? none);
}

/** Calls back when the client goes before it has its answer. */
function onDeparture(request: NodeRequest, response: NodeResponse, leave: () => void): void {
  if (isHttp2(request)) {
    const { stream } = request;
    // What answers HEAD is `finished` from the beginning.
    const onClose = (): void => {
      if (!stream.headersSent || !stream.writableFinished) leave();
    };
    if (isGone(request)) onClose();
    else stream.once('aborted', leave).once('close', onClose);
    return;
  }
  const onClose = (): void => {
    if (!response.writableFinished) leave();
  };
  if (response.destroyed) onClose();
  else response.once('close', onClose);
}

/** Address and port of the client; nothing where the session is gone, whose socket throws when it is asked. */
function clientOf(request: NodeRequest): Partial<Pick<Socket, 'remoteAddress' | 'remotePort'>> {
  if (!isHttp2(request)) return request.socket;
  const { session } = request.stream;
  return session === undefined || session.destroyed ? {} : session.socket;
}

/** Every header as it came, in lists. HTTP/2 has the host in a field of its own, which is none for anybody behind. */
function distinctHeaders(request: NodeRequest): Record<string, readonly string[]> {
  if (!isHttp2(request)) {
    // Node leaves no value undefined; its type only allows for asking after any name.
    return Object.fromEntries(
      Object.entries(request.headersDistinct).map(([name, values]) => [name, values ?? []]),
    );
  }
  const headers = new Map<string, string[]>([['host', [request.authority]]]);
  const { rawHeaders } = request;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    if (name.startsWith(':') || name === 'host') continue;
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries(headers);
}
