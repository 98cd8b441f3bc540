import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';

/** A long Upload-Concat needs it; Node's 16 KiB would turn it into a bare 431. Go's limit is the same. */
const maxHeaderSize = 1024 * 1024;
const idleCheckMs = 50;

/** An HTTP server that can be closed without waiting for connections on which nothing happens. */
export interface HttpServer {
  readonly server: Server;
  /** Stops accepting, and resolves when the running requests are answered and their connections closed. */
  close(): Promise<void>;
}

export function createHttpServer(listener: RequestListener): HttpServer {
  const server = createServer({ maxHeaderSize });
  // Node counts only those that the server has accepted itself: workers are handed theirs.
  const open = new Set<Socket>();
  // Browsers open connections in advance. Node does not count those as idle before their first request.
  const unused = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    unused.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      unused.delete(socket);
    });
  });
  server.on('request', (request, response) => {
    unused.delete(request.socket);
    listener(request, response);
  });

  async function close(): Promise<void> {
    server.close();
    for (const socket of unused) socket.destroy();
    // Node closes what is idle at this moment, but not what becomes idle when its last answer has gone out.
    const timer = setInterval(() => server.closeIdleConnections(), idleCheckMs);
    await Promise.all(Array.from(open, closing));
    clearInterval(timer);
  }

  return { server, close };
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
