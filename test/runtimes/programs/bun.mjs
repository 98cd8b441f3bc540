import { serveControl } from './control.mjs';

await serveControl((fetch) => {
  const server = Bun.serve({ fetch, hostname: '127.0.0.1', port: 0, idleTimeout: 0 });
  return { port: server.port, close: () => server.stop(true) };
});
