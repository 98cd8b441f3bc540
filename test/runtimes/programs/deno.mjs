import { serveControl } from './control.mjs';

await serveControl((handler) => {
  const stop = new AbortController();
  const { addr, finished } = Deno.serve(
    { hostname: '127.0.0.1', port: 0, signal: stop.signal, onListen: () => undefined },
    handler,
  );
  return {
    port: addr.port,
    async close() {
      stop.abort();
      await finished;
    },
  };
});
