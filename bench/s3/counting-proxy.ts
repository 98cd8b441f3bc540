import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** What has gone through a {@link CountingProxy}. */
export interface Traffic {
  readonly requests: number;
  /** With heads, as they were on the wire. */
  readonly sentBytes: number;
  readonly fetchedBytes: number;
}

/**
 * Stands between a server and S3, and counts what they say to each other. It takes time of the machine: what goes
 * through it is not timed.
 */
export class CountingProxy {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sockets = new Set<Socket>();
  #closed = { sentBytes: 0, fetchedBytes: 0 };
  #requests = 0;

  private constructor(targetPort: number, delayMs: number) {
    this.#server = createServer((incoming, answer) => {
      this.#requests += 1;
      this.#forward(incoming, answer, targetPort, delayMs).catch(() => answer.destroy());
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#closed.sentBytes += socket.bytesRead;
        this.#closed.fetchedBytes += socket.bytesWritten;
      });
    });
  }

  /** @param delayMs by which every answer is late, as that of a distant S3 is */
  static async start(targetPort: number, delayMs: number): Promise<CountingProxy> {
    const proxy = new CountingProxy(targetPort, delayMs);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Up to now. */
  get traffic(): Traffic {
    let { sentBytes, fetchedBytes } = this.#closed;
    for (const { bytesRead, bytesWritten } of this.#sockets) {
      sentBytes += bytesRead;
      fetchedBytes += bytesWritten;
    }
    return { requests: this.#requests, sentBytes, fetchedBytes };
  }

  stop(): void {
    this.#agent.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #forward(
    incoming: IncomingMessage,
    answer: ServerResponse,
    port: number,
    delayMs: number,
  ): Promise<void> {
    // This proxy has told the sender to go on already.
    const { expect: _, ...headers } = incoming.headers;
    const { method, url: path } = incoming;
    const outgoing = request({
      host: '127.0.0.1',
      port,
      agent: this.#agent,
      headers,
      ...(method !== undefined && { method }),
      ...(path !== undefined && { path }),
    });
    const [[response]] = await Promise.all([
      once(outgoing, 'response') as Promise<[IncomingMessage]>,
      pipeline(incoming, outgoing),
    ]);
    if (delayMs > 0) await delay(delayMs);
    answer.writeHead(response.statusCode ?? 502, response.headers);
    await pipeline(response, answer);
  }
}
