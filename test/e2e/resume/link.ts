import { connect, type Socket } from 'node:net';
import type { Exchange, ExchangeLog } from './exchange-log.js';
import { contentLength, type Head, HttpTap } from './http-tap.js';

export interface LinkOptions {
  readonly client: Socket;
  /** Which server, and its port on the loopback. */
  readonly server: number;
  readonly port: number;
  readonly log: ExchangeLog;
  /** A part of a request's body has been passed on. */
  readonly onBody: (link: Link, exchange: Exchange) => void;
}

/** One connection of the client, passed on to a server byte by byte, with the ways in which connections fail. */
export class Link {
  /** Resolves when the server's side is closed. */
  readonly closed: Promise<void>;
  readonly #options: LinkOptions;
  readonly #server: Socket;
  readonly #unanswered: Exchange[] = [];
  #silent = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#server = connect({ port: options.port, host: '127.0.0.1', allowHalfOpen: true });
    this.closed = new Promise((resolve) => {
      this.#server.once('close', () => resolve());
    });
    this.#passRequestsOn(this.#tapRequests());
    this.#passAnswersOn(this.#tapAnswers());
  }

  /** Both sides see a reset. */
  reset(): void {
    cut(this.#options.client);
    cut(this.#server);
  }

  /** Nothing goes through any more in either direction, not even an end. Neither side is told. */
  silence(): void {
    this.#silent = true;
  }

  #passRequestsOn(tap: HttpTap): void {
    const { client } = this.#options;
    const server = this.#server;
    client.on('data', (bytes: Buffer) => {
      if (this.#silent) return;
      if (!server.write(bytes)) client.pause();
      tap.feed(bytes);
    });
    client.on('end', () => this.#silent || this.#end());
    client.on('error', () => this.#silent || cut(server));
    server.on('drain', () => client.resume());
  }

  #end(): void {
    for (const exchange of this.#unanswered) exchange.endSeen = true;
    this.#server.end();
  }

  #passAnswersOn(tap: HttpTap): void {
    const { client } = this.#options;
    const server = this.#server;
    server.on('data', (bytes: Buffer) => {
      // What the server says counts as said, even if it does not get through.
      tap.feed(bytes);
      if (!this.#silent && !client.write(bytes)) server.pause();
    });
    server.on('end', () => (this.#silent ? server.end() : client.end()));
    server.on('error', () => this.#silent || cut(client));
    server.on('close', () => {
      for (const exchange of this.#unanswered) this.#options.log.broken(exchange);
      if (!this.#silent) client.destroySoon();
    });
    client.on('drain', () => server.resume());
  }

  #tapRequests(): HttpTap {
    const { log, onBody, server } = this.#options;
    let current: Exchange | undefined;
    return new HttpTap({
      onHead: (head) => {
        current = log.request(head, server);
        this.#unanswered.push(current);
        return contentLength(head);
      },
      onBody: (bytes) => {
        if (current === undefined) return;
        log.body(current, bytes);
        onBody(this, current);
      },
    });
  }

  #tapAnswers(): HttpTap {
    return new HttpTap({ onHead: (head) => this.#onAnswer(head), onBody: () => undefined });
  }

  #onAnswer(head: Head): number {
    const status = Number(head.line.split(' ')[1]);
    const [exchange] = this.#unanswered;
    if (exchange === undefined) throw new Error(`An answer without a request: ${head.line}`);
    if (status === 100) {
      this.#options.log.accepted(exchange);
      return 0;
    }
    this.#unanswered.shift();
    this.#options.log.answer(exchange, status, head);
    return exchange.method === 'HEAD' || status === 204 ? 0 : contentLength(head);
  }
}

/** Resets a connection. Node 20 loses the descriptor of one that is reset while its end is on the way. */
function cut(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
