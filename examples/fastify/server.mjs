// @ts-check
import fastify from 'fastify';
import { compose, createHandler, FileLocker, FileStore } from 'tuskd';

const directory = './uploads';
const locker = new FileLocker({ directory });
const backend = compose({ core: new FileStore({ directory }), locker });
const handler = createHandler({ backend, basePath: '/files/' });

const app = fastify();
app.get('/', () => 'uploads go to /files/\n');
// A scope of its own, whose parser leaves every body to the handler.
app.register(async (uploads) => {
  uploads.removeAllContentTypeParsers();
  uploads.addContentTypeParser('*', (_request, _body, done) => done(null));
  uploads.all('/files/*', (request, reply) => {
    reply.hijack();
    handler(request.raw, reply.raw);
  });
});

handler.attach(app.server);
// With a host: for `localhost`, Fastify makes a second server, which `app.server` does not tell of.
const url = await app.listen({ port: Number(process.env.PORT ?? 8080), host: '0.0.0.0' });
console.log(`uploads go to ${url}/files/`);
