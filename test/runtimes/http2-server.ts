import { once } from 'node:events';
import type http from 'node:http';
import http2 from 'node:http2';
import { createHandler, type Handler, type HandlerOptions } from 'tuskd';
import { http2Gateway } from './http2-gateway.js';

/** A handler in a server of `node:http2`, and what passes the requests of tests on to it. */
export async function http2Server(
  options: HandlerOptions,
  serverOptions: http.ServerOptions = {},
): Promise<{ handler: Handler; server: http.Server }> {
  const handler = createHandler(options);
  const server = http2.createServer(handler);
  handler.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  const gateway = http2Gateway(address.port, serverOptions);
  gateway.once('close', () => server.close());
  return { handler, server: gateway };
}
