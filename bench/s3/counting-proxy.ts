import type { Socket } from 'node:net';
import { TcpProxy } from '../tcp-proxy.js';

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
export class CountingProxy extends TcpProxy {
  readonly #traffic = { requests: 0, sentBytes: 0, fetchedBytes: 0 };
  readonly #delayMs: number;

  private constructor(targetPort: number, delayMs: number) {
    super(targetPort);
    this.#delayMs = delayMs;
  }

  /** @param delayMs by which every answer is late, as that of a distant S3 is */
  static start(targetPort: number, delayMs: number): Promise<CountingProxy> {
    return new CountingProxy(targetPort, delayMs).listen();
  }

  /** Up to now. */
  get traffic(): Traffic {
    return { ...this.#traffic };
  }

  protected connected(client: Socket, target: Socket): void {
    const delayMs = this.#delayMs;
    this.#count(client);
    target.on('data', ({ length }) => (this.#traffic.fetchedBytes += length));
    client.once('close', () => setTimeout(() => target.destroySoon(), 0));
    // Not before what is still on its way to the client.
    target.once('close', () => setTimeout(() => client.destroySoon(), delayMs));
    client.pipe(target);
    if (delayMs === 0) target.pipe(client);
    else target.on('data', (bytes) => setTimeout(() => client.write(bytes), delayMs));
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
