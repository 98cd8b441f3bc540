import type { Fault } from './faults.js';
import type { Head } from './http-tap.js';
import { machinePressureMs } from './machine-pressure.js';

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
  /** Bytes of the body that were passed on to the server. */
  sent: number;
  /** When the server said 100 Continue. */
  acceptedAt?: number;
  answeredAt?: number;
  status?: number;
  /** Upload-Offset of the answer. */
  reported?: number;
  /** When the connection ended before an answer came. */
  brokenAt?: number;
  /** For a HEAD and the request after it, how long it waited until the server began with it or the connection ended. */
  wait?: Wait;
  /** All of `sent` reached the server, and then the end of the connection: it was no reset. */
  endSeen?: boolean;
  /** The fault that hit this request. */
  hitBy?: Fault;
}

/** Times in milliseconds. */
export interface Wait {
  readonly whole: number;
  /** Without the time for which the machine was busy: what the server made of it. */
  readonly net: number;
}

/** Everything that went by, in the order of the requests. */
export class ExchangeLog {
  readonly exchanges: Exchange[] = [];
  #highest = 0;
  #lastFault: Exchange['after'];
  /** Those whose wait is measured, with the machine's pressure when they began. */
  readonly #waiting = new Map<Exchange, number>();
  /** Bytes of request bodies passed on, those that had to be sent twice included. */
  #sent = 0;

  get sent(): number {
    return this.#sent;
  }

  request(head: Head, server: number): Exchange {
    const method = head.line.split(' ', 1)[0] ?? '';
    const exchange: Exchange = {
      method,
      server,
      startedAt: performance.now(),
      offset: Number(head.fields.get('upload-offset') ?? 0),
      floor: this.#highest,
      after: this.#lastFault,
      sent: 0,
    };
    const resumes = method === 'HEAD' || this.exchanges.at(-1)?.method === 'HEAD';
    if (resumes) this.#waiting.set(exchange, machinePressureMs());
    this.exchanges.push(exchange);
    return exchange;
  }

  accepted(exchange: Exchange): void {
    exchange.acceptedAt = performance.now();
    this.#endWait(exchange, exchange.acceptedAt);
  }

  body(exchange: Exchange, bytes: number): void {
    exchange.sent += bytes;
    this.#sent += bytes;
  }

  answer(exchange: Exchange, status: number, head: Head): void {
    exchange.answeredAt = performance.now();
    this.#endWait(exchange, exchange.answeredAt);
    exchange.status = status;
    const offset = head.fields.get('upload-offset');
    if (status >= 300 || offset === undefined) return;
    exchange.reported = Number(offset);
    this.#highest = Math.max(this.#highest, exchange.reported);
  }

  broken(exchange: Exchange): void {
    exchange.brokenAt = performance.now();
    // What a fault ended does not tell how long it would have waited.
    if (exchange.hitBy === undefined) this.#endWait(exchange, exchange.brokenAt);
  }

  fault(exchange: Exchange, fault: Fault): void {
    exchange.hitBy = fault;
    this.#lastFault = { fault, at: performance.now() };
  }

  #endWait(exchange: Exchange, endedAt: number): void {
    const pressureMs = this.#waiting.get(exchange);
    if (pressureMs === undefined) return;
    this.#waiting.delete(exchange);
    const whole = endedAt - exchange.startedAt;
    exchange.wait = { whole, net: Math.max(0, whole - (machinePressureMs() - pressureMs)) };
  }
}
