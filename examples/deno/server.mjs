import { compose, FileLocker, FileStore } from 'tuskd';
import { createFetchHandler } from 'tuskd/fetch';

const directory = './uploads';
const backend = compose({
  core: new FileStore({ directory }),
  locker: new FileLocker({ directory }),
});
Deno.serve(
  {
    port: Number(Deno.env.get('PORT') ?? 8080),
    onListen: ({ port }) => console.log(`Uploads go to http://localhost:${port}/files/`),
  },
  createFetchHandler({ backend, basePath: '/files/' }),
);
