import { once } from 'node:events';
import http from 'node:http';
import type { S3Call, S3Operation } from './s3-call.js';
import { freePort } from './free-port.js';
import { S3Exchange } from './s3-exchange.js';
import type { S3Fault } from './s3-faults.js';

/** Which requests a fault is for. */
export interface S3Match {
  readonly operation?: S3Operation;
  readonly partNumber?: number;
  readonly key?: (key: string) => boolean;
  /** Begins with the n-th of these requests; 1 by default. */
  readonly nth?: number;
  /** For so many of them; 1 by default. */
  readonly times?: number;
}

export type S3LogEntry = Pick<
  S3Exchange,
  'allBytes' | 'bodyBytes' | 'call' | 'failure' | 'request' | 'status'
>;

interface Rule {
  readonly match: S3Match;
  readonly fault: S3Fault;
  /** Requests that it goes for, up to now. */
  seen: number;
}

/**
 * Stands between a client and a real S3 server, passes everything on as it is, signatures included, and does to single
 * requests what the server cannot be made to do. Addresses have the bucket in the path.
 */
export class S3FaultProxy {
  readonly endpoint: string;
  readonly #server: http.Server;
  readonly #rules = new Set<Rule>();
  #log: S3LogEntry[] = [];

  private constructor(endpoint: string, server: http.Server) {
    this.endpoint = endpoint;
    this.#server = server;
  }

  static async start(upstream: string): Promise<S3FaultProxy> {
    const port = await freePort();
    // It keeps idle connections open, or a client would now and then take one just as it is closed.
    const server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
    const proxy = new S3FaultProxy(`http://127.0.0.1:${port}`, server);
    const target = new URL(upstream);
    for (const event of ['request', 'checkContinue']) {
      server.on(event, (request: http.IncomingMessage, response: http.ServerResponse) => {
        void proxy.#handle(new S3Exchange(request, response, target));
      });
    }
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  /** Requests in the order in which they came, since the start or `forget`. */
  get log(): readonly S3LogEntry[] {
    return this.#log;
  }

  get operations(): S3Operation[] {
    return this.#log.map(({ call }) => call.operation);
  }

  /** How many requests, and bytes from clients, since the start or `forget`; of one operation, or of all. */
  total(operation?: S3Operation): { requests: number; bodyBytes: number; allBytes: number } {
    const sum = { requests: 0, bodyBytes: 0, allBytes: 0 };
    for (const { call, bodyBytes, allBytes } of this.#log) {
      if (operation !== undefined && call.operation !== operation) continue;
      sum.requests++;
      sum.bodyBytes += bodyBytes;
      sum.allBytes += allBytes;
    }
    return sum;
  }

  forget(): void {
    this.#log = [];
  }

  /** Has requests suffer a fault: the first that is for a request befalls it. Returns what ends it. */
  inject(match: S3Match, fault: S3Fault): () => void {
    const rule: Rule = { match, fault, seen: 0 };
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(exchange: S3Exchange): Promise<void> {
    this.#log.push(exchange);
    const fault = this.#faultFor(exchange.call);
    try {
      if (fault === undefined) await exchange.relay(await exchange.forward());
      else await fault(exchange);
    } catch (error) {
      exchange.failure = error;
      // The client is gone, or the server: then the client loses its connection, as it would without a proxy.
      exchange.request.socket.resetAndDestroy();
    }
  }

  #faultFor(call: S3Call): S3Fault | undefined {
    let found: S3Fault | undefined;
    for (const rule of this.#rules) {
      if (!matches(rule.match, call)) continue;
      const { nth = 1, times = 1 } = rule.match;
      rule.seen++;
      if (rule.seen >= nth && rule.seen < nth + times) found ??= rule.fault;
    }
    return found;
  }
}

function matches({ operation, partNumber, key }: S3Match, call: S3Call): boolean {
  return (
    (operation === undefined || operation === call.operation) &&
    (partNumber === undefined || partNumber === call.partNumber) &&
    (key === undefined || key(call.key))
  );
}
