import fastifyCompress from '@fastify/compress';
import fastify, { type FastifyInstance } from 'fastify';
import type { Handler } from 'tuskd';
import { describe, expect, it } from 'vitest';
import { checkConsumedBody, checkProtocol } from './check-protocol.js';
import { startServer } from './server.js';
import {
  chunkType,
  connect,
  create,
  head,
  lengthHeader,
  post,
  request,
  requestHead,
} from './tus.js';

describe('in Fastify', () => {
  it('the protocol works in a scope without parsers of its own', async () => {
    await checkProtocol(await startFastify((app, handler) => app.register(uploads(handler))));
  });

  it('the protocol works behind a prefix', async () => {
    const prefix = '/api/v1';
    const server = await startFastify(
      (app, handler) => app.register(uploads(handler), { prefix }),
      '/api/v1/files/',
    );
    await checkProtocol(server, '/api/v1/files/');
  });

  it('the protocol works where answers are compressed', async () => {
    const server = await startFastify(async (app, handler) => {
      await app.register(fastifyCompress);
      await app.register(uploads(handler));
    });
    await checkProtocol(server);
  });

  it('bodies may be longer than those that Fastify reads itself', async () => {
    const server = await startFastify((app, handler) => app.register(uploads(handler)));
    const body = Buffer.alloc(3 * 1024 * 1024);
    const path = await create(server, body.length);
    const headers = { ...chunkType, 'Upload-Offset': '0' };
    expect((await request(server, 'PATCH', path, { headers, body })).status).toBe(204);
  });

  it('a POST of JSON is the handler’s to refuse', async () => {
    const server = await startFastify((app, handler) => app.register(uploads(handler)));
    const headers = { ...lengthHeader(5), 'Content-Type': 'application/json' };
    expect((await post(server, headers)).status).toBe(201);
  });

  it('hooks run before uploads are touched', async () => {
    const server = await startFastify(async (app, handler) => {
      app.addHook('preHandler', async (request, reply) => {
        if (request.headers.authorization === undefined) await reply.code(401).send('who?');
      });
      await app.register(uploads(handler));
    });
    expect((await post(server, lengthHeader(5))).status).toBe(401);
    const known = { ...lengthHeader(5), Authorization: 'Bearer x' };
    expect((await post(server, known)).status).toBe(201);
  });

  it('100 Continue is given once a request is accepted', async () => {
    const server = await startFastify((app, handler) => app.register(uploads(handler)));
    const client = await connect(server);
    const path = await create(server, 5);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '5' };
    await client.send(
      requestHead('PATCH', path, { headers: { ...headers, Expect: '100-continue' } }),
    );
    expect(await client.continued()).toBe(true);
    await client.send('hello');
    expect((await client.response()).status).toBe(204);
  });

  it('field 55: a parser that reads everything is 500 with a hint, not a hang', async () => {
    const server = await startFastify((app, handler) => {
      app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null));
      mount(app, handler);
    });
    await checkConsumedBody(server);
  });

  it('field 55: without any parser for uploads, Fastify itself says that it knows no such type', async () => {
    const server = await startFastify(mount);
    const path = await create(server, 5);
    const headers = { ...chunkType, 'Upload-Offset': '0' };
    const answer = await request(server, 'PATCH', path, { headers, body: 'hello' });
    expect(answer.status).toBe(415);
    expect(answer.text).toContain('FST_ERR_CTP_INVALID_MEDIA_TYPE');
    expect((await head(server, path)).header('upload-offset')).toBe('0');
  });
});

async function startFastify(
  use: (app: FastifyInstance, handler: Handler) => PromiseLike<unknown> | void,
  basePath = '/files/',
) {
  return startServer({
    basePath,
    async mount(handler) {
      const app = fastify();
      await use(app, handler);
      await app.ready();
      return app.server;
    },
  });
}

/** As examples/fastify has it. */
function uploads(handler: Handler) {
  return async (scope: FastifyInstance): Promise<void> => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _body, done) => done(null));
    mount(scope, handler);
  };
}

function mount(app: FastifyInstance, handler: Handler): void {
  app.all('/files/*', (request, reply) => {
    reply.hijack();
    handler(request.raw, reply.raw);
  });
}
