import type { Socket } from 'node:net';
import { TcpProxy } from '../tcp-proxy.js';

/** As much as Linux by default lets one connection have under way (the last of `tcp_rmem`). */
const underWay = 6 * 1024 ** 2;

/**
 * A line of a given length to a server: every byte comes so much later, and no more are under way than TCP allows. What is
 * sent into a proxy that delays without a bound is never slowed down by anything, as it would be by a real line.
 */
export class DelayProxy extends TcpProxy {
  readonly #oneWayMs: number;

  private constructor(targetPort: number, roundTripMs: number) {
    super(targetPort);
    this.#oneWayMs = roundTripMs / 2;
  }

  static start(targetPort: number, roundTripMs: number): Promise<DelayProxy> {
    return new DelayProxy(targetPort, roundTripMs).listen();
  }

  protected connected(client: Socket, target: Socket): void {
    this.#delay(client, target);
    this.#delay(target, client);
  }

  #delay(from: Socket, to: Socket): void {
    const oneWayMs = this.#oneWayMs;
    let left = underWay;
    from.once('close', () => setTimeout(() => to.destroySoon(), oneWayMs));
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
