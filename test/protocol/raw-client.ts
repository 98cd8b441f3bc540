import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { type RawResponse, ResponseReader } from './response-reader.js';

export interface ConnectOptions {
  readonly port: number;
  /** Encrypted, to a server whose certificate nobody has signed. */
  readonly secure?: boolean;
}

/** How a connection came to its end: properly (FIN) or not (RST). */
export type ConnectionEnd = 'fin' | 'reset';

const waitMs = 10_000;

/**
 * A connection on which a test sends whatever bytes it likes, whenever it likes: `fetch` and `http.request` would
 * correct, buffer or hide what is to be seen.
 */
export class RawClient {
  readonly socket: net.Socket;
  readonly #reader = new ResponseReader();
  readonly #ended: Promise<ConnectionEnd>;
  #wake: (() => void) | undefined;
  #end: ConnectionEnd | undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    this.#ended = new Promise((resolve) => {
      const onEnd = (end: ConnectionEnd): void => {
        this.#end ??= end;
        this.#reader.end();
        this.#wakeUp();
        resolve(this.#end);
      };
      socket.on('error', () => onEnd('reset'));
      socket.on('end', () => onEnd('fin'));
      socket.on('close', () => onEnd('fin'));
    });
    socket.on('data', (bytes: Buffer) => {
      this.#reader.push(bytes);
      this.#wakeUp();
    });
  }

  static async connect({ port, secure }: ConnectOptions): Promise<RawClient> {
    const socket = secure
      ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setNoDelay(true);
    const client = new RawClient(socket);
    await once(socket, secure ? 'secureConnect' : 'connect');
    return client;
  }

  /** How the server closed the connection; waits for it. */
  get ended(): Promise<ConnectionEnd> {
    return within(this.#ended, 'the server to close the connection');
  }

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** Resolves when the bytes have been handed to the kernel, with whether that was possible. */
  send(bytes: string | Uint8Array): Promise<boolean> {
    if (this.socket.destroyed || this.#end === 'reset') return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (error?: Error | null): void => {
        this.socket.off('close', onClose);
        resolve(!error);
      };
      const onClose = (): void => settle(new Error('closed'));
      this.socket.once('close', onClose);
      this.socket.write(bytes, settle);
    });
  }

  /** Sends zeros until so many are sent or the connection is gone, whatever the server says meanwhile. */
  async sendZeros(count: number): Promise<number> {
    const piece = Buffer.alloc(64 * 1024);
    let sent = 0;
    while (sent < count) {
      const next = piece.subarray(0, Math.min(piece.length, count - sent));
      if (!(await this.send(next))) break;
      sent += next.length;
    }
    return sent;
  }

  /** The next final response, with the 1xx ones before it. `toHead`: it has no body, whatever its headers say. */
  async response(toHead = false): Promise<RawResponse> {
    return within(this.#nextResponse(toHead), 'a response');
  }

  /** Waits for a 100 Continue; false where a final response comes instead. */
  async continued(): Promise<boolean> {
    return within(this.#nextContinue(), 'a 100 or a final response');
  }

  /** Ends sending (FIN) but goes on to receive. */
  end(): void {
    this.socket.end();
  }

  /** Breaks off without a word (RST). */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    if (this.socket.closed) return;
    this.socket.destroy();
    await once(this.socket, 'close');
  }

  async #nextResponse(toHead: boolean): Promise<RawResponse> {
    for (;;) {
      const response = this.#reader.take(toHead);
      if (response !== undefined) return response;
      if (this.#end !== undefined) throw new Error(`no response before the end (${this.#end})`);
      await this.#more();
    }
  }

  async #nextContinue(): Promise<boolean> {
    for (;;) {
      const status = this.#reader.peekStatus();
      if (status !== undefined) return status === 100;
      if (this.#end !== undefined) throw new Error(`no 100 before the end (${this.#end})`);
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** Fails with a sentence instead of hanging until the test's own time is up. */
async function within<T>(promise: Promise<T>, what: string, timeoutMs = waitMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited ${timeoutMs} ms in vain for ${what}`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
