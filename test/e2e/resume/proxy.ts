import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Link, type LinkOptions } from './link.js';

export interface ProxyOptions extends Pick<LinkOptions, 'log' | 'onBody'> {
  /** Where the next connection goes; undefined while no server is up. */
  readonly route: () => { readonly server: number; readonly port: number } | undefined;
}

/** Stands between the client and the servers: the one address that stays the same. */
export class Proxy {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  constructor({ route, log, onBody }: ProxyOptions) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      this.#clients.add(client);
      client.once('close', () => this.#clients.delete(client));
      const target = route();
      if (target === undefined) client.resetAndDestroy();
      else void new Link({ client, ...target, log, onBody });
    });
  }

  /** Resolves with the port. */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
    return address.port;
  }

  close(): void {
    this.#server.close();
    for (const client of this.#clients) client.destroy();
  }
}
