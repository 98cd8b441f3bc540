import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** As much as Linux by default lets one connection have under way (the last of `tcp_rmem`). */
const underWay = 6 * 1024 ** 2;

/**
 * A line of a given length to a server: every byte comes so much later, and no more are under way than TCP allows. What is
 * sent into a proxy that delays without a bound is never slowed down by anything, as it would be by a real line.
 */
export class DelayProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(targetPort: number, roundTripMs: number) {
    this.#server = createServer({ noDelay: true }, (client) => {
      const target = connect({ host: '127.0.0.1', port: targetPort, noDelay: true });
      this.#delay(client, target, roundTripMs / 2);
      this.#delay(target, client, roundTripMs / 2);
    });
  }

  static async start(targetPort: number, roundTripMs: number): Promise<DelayProxy> {
    const proxy = new DelayProxy(targetPort, roundTripMs);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #delay(from: Socket, to: Socket, oneWayMs: number): void {
    let left = underWay;
    this.#sockets.add(from);
    from.once('close', () => {
      this.#sockets.delete(from);
      setTimeout(() => to.destroySoon(), oneWayMs);
    });
    // Close follows.
    from.on('error', () => undefined);
    from.on('data', (bytes) => {
      left -= bytes.length;
      if (left <= 0) from.pause();
      setTimeout(() => to.write(bytes, () => setTimeout(acknowledge, oneWayMs, bytes)), oneWayMs);
    });
    function acknowledge({ length }: Uint8Array): void {
      left += length;
      if (left > 0) from.resume();
    }
  }
}
