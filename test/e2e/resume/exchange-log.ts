import type { Fault } from './faults.js';
import type { Head } from './http-tap.js';

/** A request that went by, and what became of it. Times are `performance.now()`. */
export interface Exchange {
  readonly method: string;
  /** Which server got it. */
  readonly server: number;
  readonly startedAt: number;
  /** Upload-Offset of the request. */
  readonly offset: number;
  /** The highest offset that was reported before this request began. */
  readonly floor: number;
  /** The last fault before it, and when that was. */
  readonly after: { readonly fault: Fault; readonly at: number } | undefined;
  /** The first one of its method after that fault. */
  readonly isFirst: boolean;
  /** Bytes of the body that were passed on to the server. */
  sent: number;
  /** What a request that touches no upload took at the same time, in milliseconds; only for a first one. */
  controlMs?: number;
  /** When the server said 100 Continue. */
  acceptedAt?: number;
  answeredAt?: number;
  status?: number;
  /** Upload-Offset of the answer. */
  reported?: number;
  /** When the connection ended before an answer came. */
  brokenAt?: number;
  /** All of `sent` reached the server, and then the end of the connection: it was no reset. */
  endSeen?: boolean;
  /** The fault that hit this request. */
  hitBy?: Fault;
}

/** Everything that went by, in the order of the requests. */
export class ExchangeLog {
  readonly exchanges: Exchange[] = [];
  #highest = 0;
  #lastFault: Exchange['after'];
  /** Methods that were used since then. */
  readonly #seen = new Set<string>();
  /** Bytes of request bodies passed on, those that had to be sent twice included. */
  #sent = 0;

  get sent(): number {
    return this.#sent;
  }

  request(head: Head, server: number): Exchange {
    const method = head.line.split(' ', 1)[0] ?? '';
    const isFirst = this.#lastFault !== undefined && !this.#seen.has(method);
    this.#seen.add(method);
    const exchange: Exchange = {
      method,
      server,
      startedAt: performance.now(),
      offset: Number(head.fields.get('upload-offset') ?? 0),
      floor: this.#highest,
      after: this.#lastFault,
      isFirst,
      sent: 0,
    };
    this.exchanges.push(exchange);
    return exchange;
  }

  body(exchange: Exchange, bytes: number): void {
    exchange.sent += bytes;
    this.#sent += bytes;
  }

  answer(exchange: Exchange, status: number, head: Head): void {
    exchange.answeredAt = performance.now();
    exchange.status = status;
    const offset = head.fields.get('upload-offset');
    if (status >= 300 || offset === undefined) return;
    exchange.reported = Number(offset);
    this.#highest = Math.max(this.#highest, exchange.reported);
  }

  fault(exchange: Exchange, fault: Fault): void {
    exchange.hitBy = fault;
    this.#seen.clear();
    this.#lastFault = { fault, at: performance.now() };
  }
}
