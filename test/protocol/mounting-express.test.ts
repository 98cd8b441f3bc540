import http from 'node:http';
import compression from 'compression';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { checkProtocol, gzip, text, uploadText } from './check-protocol.js';
import { startServer } from './server.js';
import { chunkType, connect, request, requestHead } from './tus.js';

describe('in Express beside other middleware', () => {
  it('field 55: the body parsers as they come leave uploads alone', async () => {
    const parsers = [express.json(), express.raw(), express.urlencoded(), express.text()];
    await checkProtocol(
      await startServer({
        mount: (handler) => http.createServer(express().use(...parsers, handler)),
      }),
    );
  });

  it('a router in a router may take the path apart', async () => {
    const server = await startServer({
      basePath: '/api/v1/files/',
      mount: (handler) => {
        const inner = express.Router().use('/files', handler);
        const outer = express.Router().use('/v1', inner);
        return http.createServer(express().use('/api', outer));
      },
    });
    await checkProtocol(server, '/api/v1/files/');
  });
});

describe('in Express behind compression', () => {
  const startCompressing = () =>
    startServer({ mount: (handler) => http.createServer(express().use(compression(), handler)) });

  it('the protocol works', async () => {
    await checkProtocol(await startCompressing());
  });

  it('field 53: what the program sends itself is compressed, a download is not', async () => {
    const server = await startServer({
      mount: (handler) => {
        const app = express().use(compression());
        app.get('/text', (_request, response) => void response.type('text/plain').send(text));
        return http.createServer(app.use(handler));
      },
    });
    const own = await request(server, 'GET', '/text', { headers: gzip });
    expect(own.header('content-encoding')).toBe('gzip');
    const path = await uploadText(server);
    const download = await request(server, 'GET', path, { headers: gzip });
    expect(download.header('content-encoding')).toBeUndefined();
    expect(download.text).toBe(text);
  });

  it('an answer that comes before the body does not wait for it', async () => {
    const server = await startCompressing();
    const client = await connect(server);
    const headers = { ...chunkType, ...gzip, 'Upload-Offset': '0', 'Content-Length': '9999999' };
    await client.send(requestHead('PATCH', '/files/missing', { headers }));
    expect((await client.response()).status).toBe(404);
  });
});
