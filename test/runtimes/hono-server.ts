import http from 'node:http';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { HandlerOptions } from 'tuskd';
import { createFetchHandler, type FetchHandler } from 'tuskd/fetch';
import { pathOf } from './runtimes.js';

/** A handler behind Hono's server for Node, which is one of `node:http`. */
export async function honoServer(
  options: HandlerOptions,
  serverOptions: http.ServerOptions = {},
): Promise<{ handler: FetchHandler; server: http.Server }> {
  const { networkTimeoutMs = 60_000 } = options;
  const createAdaptorServer = await importHono();
  const handler = createFetchHandler(options);
  const server = createAdaptorServer({
    fetch: (request) => handler(request),
    // What `attach` does for a handler for node:http.
    serverOptions: { requestTimeout: 0, headersTimeout: networkTimeoutMs, ...serverOptions },
  });
  if (!(server instanceof http.Server)) throw new Error('not a server of node:http');
  return { handler, server };
}

type CreateServer = (options: {
  fetch: (request: Request) => Promise<Response>;
  serverOptions: http.ServerOptions;
}) => unknown;

/** Its package is among the examples', where nothing here would find it by name. */
async function importHono(): Promise<CreateServer> {
  const path = join(dirname(pathOf('hono')), 'dist/index.mjs');
  const hono: { createAdaptorServer: CreateServer } = await import(pathToFileURL(path).href);
  return hono.createAdaptorServer;
}
