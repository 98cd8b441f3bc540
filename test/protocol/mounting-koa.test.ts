import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { bodyParser } from '@koa/bodyparser';
import { Router } from '@koa/router';
import Koa from 'koa';
import koaCompress from 'koa-compress';
import koaMount from 'koa-mount';
import type { Handler } from 'tuskd';
import { describe, expect, it } from 'vitest';
import { checkConsumedBody, checkProtocol } from './check-protocol.js';
import { startServer } from './server.js';
import { chunkType, connect, create, offsetOf, requestHead } from './tus.js';

describe('in Koa', () => {
  it('the protocol works', async () => {
    await checkProtocol(await startKoa((app, handler) => app.use(uploads(handler))));
  });

  it('field 55: the body parser as it comes leaves uploads alone', async () => {
    await checkProtocol(
      await startKoa((app, handler) => app.use(bodyParser()).use(uploads(handler))),
    );
  });

  it('field 55: a parser that reads everything is 500 with a hint, not a hang', async () => {
    const server = await startKoa((app, handler) => {
      app.use(async (context, next) => {
        if (context.method === 'PATCH') await buffer(context.req);
        await next();
      });
      app.use(uploads(handler));
    });
    await checkConsumedBody(server);
  });

  it('the protocol works where answers are compressed', async () => {
    await checkProtocol(
      await startKoa((app, handler) => app.use(koaCompress()).use(uploads(handler))),
    );
  });

  it('koa-mount may cut off the prefix, also twice', async () => {
    await checkProtocol(
      await startKoa((app, handler) => app.use(koaMount('/files', uploads(handler)))),
    );
    const inner = (handler: Handler) => koaMount('/v1', koaMount('/files', uploads(handler)));
    const nested = await startKoa(
      (app, handler) => app.use(koaMount('/api', inner(handler))),
      '/api/v1/files/',
    );
    await checkProtocol(nested, '/api/v1/files/');
  });

  it('a router in a router may take the path apart', async () => {
    const server = await startKoa((app, handler) => {
      const inner = new Router().all('/files{/*path}', uploads(handler));
      const outer = new Router().use('/v1', inner.routes());
      app.use(new Router().use('/api', outer.routes()).routes());
    }, '/api/v1/files/');
    await checkProtocol(server, '/api/v1/files/');
  });

  it('what Koa reports of a connection that broke does no harm', async () => {
    const errors: unknown[] = [];
    const server = await startKoa((app, handler) => {
      app.on('error', (error) => errors.push(error)).use(uploads(handler));
    });
    const path = await create(server, 100);
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '100' };
    await client.send(`${requestHead('PATCH', path, { headers })}hello`);
    client.socket.destroy();
    await expect.poll(() => errors.length).toBe(1);
    expect(await offsetOf(server, path)).toBe(5);
  });
});

function startKoa(use: (app: Koa, handler: Handler) => void, basePath = '/files/') {
  return startServer({
    basePath,
    mount(handler) {
      const app = new Koa();
      use(app, handler);
      const listener = app.callback();
      return http.createServer((request, response) => void listener(request, response));
    },
  });
}

/** As examples/koa has it. */
function uploads(handler: Handler): Koa.Middleware {
  return (context) => {
    context.respond = false;
    handler(context.req, context.res);
  };
}
