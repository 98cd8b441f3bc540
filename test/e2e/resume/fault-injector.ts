import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.js';
import type { Exchange, ExchangeLog } from './exchange-log.js';
import type { Fault } from './faults.js';
import type { Link } from './link.js';
import type { Exit, ServerProcess } from './server-process.js';
import { unlessAborted } from './unless-aborted.js';

export interface FaultInjectorOptions {
  readonly plan: readonly Fault[];
  readonly client: Client;
  readonly servers: readonly ServerProcess[];
  readonly log: ExchangeLog;
  readonly signal: AbortSignal;
  /** Told of a fault that could not be brought about. */
  readonly onError: (error: unknown) => void;
}

/** Makes the planned faults happen: each to a request that no other has hit, at the byte that was drawn for it. */
export class FaultInjector {
  /** How the servers that got SIGTERM ended. */
  readonly terminations: Exit[] = [];
  readonly #options: FaultInjectorOptions;
  readonly #left: Fault[];
  readonly #running = new Set<Promise<void>>();

  constructor(options: FaultInjectorOptions) {
    this.#options = options;
    this.#left = [...options.plan];
  }

  /** Faults that have not happened yet. */
  get left(): number {
    return this.#left.length;
  }

  /** Part of a request's body has been passed on. */
  onBody(link: Link, exchange: Exchange): void {
    const [fault] = this.#left;
    const server = this.#options.servers[exchange.server];
    if (fault === undefined || server?.port === undefined || exchange.hitBy !== undefined) return;
    if (exchange.offset + exchange.sent < fault.position) return;
    this.#left.shift();
    this.#options.log.fault(exchange, fault);
    const running = this.#inject(fault, link, server)
      .catch(this.#options.onError)
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Waits until all that was broken is repaired, or the signal has fired. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #inject(fault: Fault, link: Link, server: ServerProcess): Promise<void> {
    const { client, signal } = this.#options;
    switch (fault.kind) {
      case 'abort':
        client.abort();
        await (fault.patient
          ? unlessAborted(link.closed, signal)
          : sleep(fault.pauseMs, undefined, { signal }));
        return client.start();
      case 'reset':
        return link.reset();
      case 'silence':
        link.silence();
        await sleep(fault.pauseMs, undefined, { signal });
        client.abort();
        return client.start();
      case 'kill':
        await server.stop('SIGKILL');
        return server.start(signal);
      case 'terminate': {
        const exit = await server.stop('SIGTERM');
        if (exit !== undefined) this.terminations.push(exit);
        return server.start(signal);
      }
    }
  }
}
