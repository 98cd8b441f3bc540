import { connect } from 'node:net';
import type { Exchange } from './exchange-log.js';

/**
 * Asks the same server at the same time for something that touches no upload. A machine that is busy makes both
 * wait; what `exchange` waits longer, it waits for another request.
 */
export function measureControl(exchange: Exchange, port: number): void {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write('OPTIONS /files/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
  socket.once('data', () => {
    exchange.controlMs = performance.now() - exchange.startedAt;
  });
  // No server, no answer, nothing to set against.
  socket.on('error', () => undefined);
  socket.setTimeout(10_000, () => socket.destroy());
}
