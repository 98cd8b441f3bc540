import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { createFetchHandler } from '../../../dist/fetch.js';
import { compose, FileLocker, FileStore, MemoryLocker } from '../../../dist/index.js';

const lockers = {
  memory: () => new MemoryLocker(),
  files: (directory) => new FileLocker({ directory }),
};

/**
 * Lets tests start and end servers in this process: `listen(handler, networkTimeoutMs)` starts one on a free port and
 * resolves with `{ port, close }`. Prints the URL that takes the orders, and ends with its standard input.
 */
export async function serveControl(listen) {
  const running = new Map();
  let count = 0;
  const orders = {
    async start({ directory, locker, options }) {
      const backend = compose({
        core: new FileStore({ directory }),
        locker: lockers[locker](directory),
      });
      const handler = createFetchHandler({ ...options, backend });
      const server = await listen(handler, options.networkTimeoutMs ?? 60_000);
      const id = String((count += 1));
      running.set(id, { backend, handler, server });
      return { id, port: server.port };
    },
    stopReceiving: async ({ id }) => running.get(id).handler.close(),
    async close({ id }) {
      const { backend, handler, server } = running.get(id);
      running.delete(id);
      await handler.close();
      await server.close();
      await backend.locker.close?.();
    },
  };
  async function obey(request) {
    const order = orders[request.url.slice(1)];
    return (await order(JSON.parse(await text(request)))) ?? {};
  }
  const control = http.createServer((request, response) => {
    // Or an order may be sent on a connection that is just closed because it was idle.
    response.setHeader('Connection', 'close');
    obey(request).then(
      (result) => response.end(JSON.stringify(result)),
      (error) => response.writeHead(500).end(String(error?.stack ?? error)),
    );
  });
  control.listen(0, '127.0.0.1');
  await once(control, 'listening');
  console.log(`control http://127.0.0.1:${control.address().port}/`);
  process.stdin.on('end', () => process.exit()).resume();
}

/** Listens with a server of `node:http`, as `listen` of `serveControl` has to. */
export async function listenOnNode(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
