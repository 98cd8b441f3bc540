// Next.js as it runs in production, with a port for each handler: Next itself is started once, which takes a second.
import http from 'node:http';
import { createRequire } from 'node:module';
import { listenOnNode, serveControl } from '../control.mjs';

const [appDirectory] = process.argv.slice(2);
const next = createRequire(`${appDirectory}/`)('next');
const app = next({ dir: appDirectory, dev: false });
await app.prepare();
const answer = app.getRequestHandler();

const handlers = new Map();
/** For the route, which Next bundles on its own. */
globalThis.tuskdTestHandler = (request) =>
  handlers.get(request.headers.get('x-test-server'))(request);

await serveControl((handler, networkTimeoutMs) => {
  const name = String(handlers.size);
  handlers.set(name, handler);
  const server = http.createServer(
    { requestTimeout: 0, headersTimeout: networkTimeoutMs },
    (request, response) => {
      request.headers['x-test-server'] = name;
      void answer(request, response);
    },
  );
  return listenOnNode(server);
});
