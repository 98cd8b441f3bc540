import { compose, FileLocker, FileStore } from 'tuskd';
import { createFetchHandler } from 'tuskd/fetch';

const directory = './uploads';
const backend = compose({
  core: new FileStore({ directory }),
  locker: new FileLocker({ directory }),
});
const server = Bun.serve({
  port: Number(process.env.PORT ?? 8080),
  maxRequestBodySize: Number.MAX_SAFE_INTEGER, // Bun refuses more than 128 MiB otherwise,
  idleTimeout: 0, // and closes a connection that is silent for ten seconds.
  fetch: createFetchHandler({ backend, basePath: '/files/' }),
});
console.log(`Uploads go to http://localhost:${server.port}/files/`);
