import { once } from 'node:events';
import http from 'node:http';
import { compose, createHandler, type DataStore, type HandlerOptions, MemoryLocker } from 'tuskd';
import { onTestFinished } from 'vitest';
import { recordingHooks } from '../protocol/hooks.js';

/** A handler over a store on a real socket, for the length of one test. */
export async function serve(store: DataStore, options: Omit<HandlerOptions, 'backend'> = {}) {
  const hooks = recordingHooks();
  const handler = createHandler({
    hooks,
    ...options,
    backend: compose({ core: store, locker: new MemoryLocker() }),
  });
  const server = http.createServer(handler);
  handler.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    await handler.close();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    port: address.port,
    /** How often the upload's end was told. */
    finishes: () => hooks.calls.filter((call) => call === 'post-finish').length,
  };
}

/** ID of the upload that a path of the handler names. */
export function idIn(path: string): string {
  return decodeURIComponent(path.slice('/files/'.length));
}
