import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What has gone through a {@link CountingProxy}. */
export interface Traffic {
  readonly requests: number;
  /** With heads, as they were on the wire. */
  readonly sentBytes: number;
  readonly fetchedBytes: number;
}

/** Ends the first line of a request. In a body of random bytes, it comes about once in 10^24. */
const lineEnd = Buffer.from(' HTTP/1.1\r\n');

/**
 * Stands between a server and S3, and counts what they say to each other. It takes time of the machine: what goes
 * through it is not timed.
 */
export class CountingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #traffic = { requests: 0, sentBytes: 0, fetchedBytes: 0 };

  private constructor(targetPort: number, delayMs: number) {
    this.#server = createServer({ noDelay: true }, (client) => {
      const target = connect({ host: '127.0.0.1', port: targetPort, noDelay: true });
      this.#count(client);
      target.on('data', ({ length }) => (this.#traffic.fetchedBytes += length));
      for (const [from, to] of [
        [client, target],
        [target, client],
      ] as const) {
        this.#sockets.add(from);
        from.once('close', () => {
          this.#sockets.delete(from);
          // Not before what is still on its way to the client.
          setTimeout(() => to.destroySoon(), from === target ? delayMs : 0);
        });
        // Close follows.
        from.on('error', () => undefined);
      }
      client.pipe(target);
      if (delayMs === 0) target.pipe(client);
      else target.on('data', (bytes) => setTimeout(() => client.write(bytes), delayMs));
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
    return { ...this.#traffic };
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #count(client: Socket): void {
    let before = Buffer.alloc(0);
    client.on('data', (bytes) => {
      this.#traffic.sentBytes += bytes.length;
      // The line may come in two pieces.
      const seam = Buffer.concat([before, bytes.subarray(0, lineEnd.length - 1)]);
      this.#traffic.requests += occurrences(bytes) + occurrences(seam);
      before = Buffer.concat([before, bytes.subarray(-lineEnd.length)]).subarray(
        1 - lineEnd.length,
      );
    });
  }
}

function occurrences(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(lineEnd); at !== -1; at = bytes.indexOf(lineEnd, at + 1)) count += 1;
  return count;
}
