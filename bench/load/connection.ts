import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { type Response, ResponseReader } from './response-reader.js';

/** Of all connections: what arrives is looked at before anything else can arrive. */
const received = Buffer.allocUnsafeSlow(256 * 1024);

interface Pending {
  resolve(response: Response): void;
  reject(error: Error): void;
}

/**
 * A raw socket that sends ready-made bytes and waits for one response at a time: the client is to cost as little as can
 * be, since it shares the machine with the server.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #reader = new ResponseReader();
  #pending: Pending | undefined;

  private constructor(port: number) {
    this.#socket = createConnection({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: received,
        callback: (length) => this.#receive(received.subarray(0, length)),
      },
    });
    this.#socket.on('close', () => this.#fail(new Error('The server closed the connection')));
    this.#socket.on('error', (error) => this.#fail(error));
  }

  static async open(port: number): Promise<Connection> {
    const connection = new Connection(port);
    await once(connection.#socket, 'connect');
    return connection;
  }

  /** Sends `parts` one after the other, as fast as they are taken, and resolves with the response. */
  request(method: string, parts: Iterable<Uint8Array | string>): Promise<Response> {
    const response = new Promise<Response>((resolve, reject) => {
      this.#pending = { resolve, reject };
    });
    this.#reader.expect(method);
    void this.#send(parts).catch((error: unknown) => this.#fail(asError(error)));
    return response;
  }

  /** Sends and expects nothing. */
  async send(parts: readonly (Uint8Array | string)[]): Promise<void> {
    await this.#send(parts);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Breaks the connection off, as a network does. It leaves no port of ours to wait for its end. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  async #send(parts: Iterable<Uint8Array | string>): Promise<void> {
    // Corked, so that a head and the body behind it are one system call.
    this.#socket.cork();
    for (const part of parts) {
      if (this.#socket.write(part)) continue;
      this.#socket.uncork();
      if (this.#socket.writableNeedDrain) await once(this.#socket, 'drain');
      this.#socket.cork();
    }
    this.#socket.uncork();
  }

  #receive(bytes: Buffer): boolean {
    try {
      const response = this.#reader.take(bytes);
      if (response === undefined) return true;
      const pending = this.#pending;
      this.#pending = undefined;
      pending?.resolve(response);
    } catch (error) {
      this.#fail(asError(error));
    }
    return true;
  }

  #fail(error: Error): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
