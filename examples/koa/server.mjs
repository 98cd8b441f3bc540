// @ts-check
import Koa from 'koa';
import { compose, createHandler, FileLocker, FileStore } from 'tuskd';

const directory = './uploads';
const locker = new FileLocker({ directory });
const backend = compose({ core: new FileStore({ directory }), locker });
const handler = createHandler({ backend, basePath: '/files/' });

const app = new Koa();
app.use((context, next) => {
  if (!context.path.startsWith('/files/')) return next();
  context.respond = false; // The handler does.
  return handler(context.req, context.res);
});
app.use((context) => {
  context.body = 'uploads go to /files/\n';
});

const server = app.listen(process.env.PORT ?? 8080, () => {
  const address = server.address();
  if (typeof address === 'object')
    console.log(`uploads go to http://localhost:${address?.port}/files/`);
});
handler.attach(server);
