import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between clients and a server of this machine; what becomes of the bytes is for those who extend it to say. */
export abstract class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  protected constructor(targetPort: number) {
    this.#server = createServer({ noDelay: true }, (client) => {
      const target = connect({ host: '127.0.0.1', port: targetPort, noDelay: true });
      for (const socket of [client, target]) {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        // Close follows.
        socket.on('error', () => undefined);
      }
      this.connected(client, target);
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  protected abstract connected(client: Socket, target: Socket): void;

  protected async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }
}
