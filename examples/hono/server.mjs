import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { compose, FileLocker, FileStore } from 'tuskd';
import { createFetchHandler } from 'tuskd/fetch';

const directory = './uploads';
const backend = compose({
  core: new FileStore({ directory }),
  locker: new FileLocker({ directory }),
});
const handler = createFetchHandler({ backend, basePath: '/files/' });

const app = new Hono();
app.all('/files/*', ({ req }) => handler(req.raw));

const options = {
  fetch: app.fetch,
  port: Number(process.env.PORT ?? 8080),
  serverOptions: { requestTimeout: 0 }, // Node cuts uploads off after five minutes otherwise.
};
serve(options, ({ port }) => console.log(`Uploads go to http://localhost:${port}/files/`));
