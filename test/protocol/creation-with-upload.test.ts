import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import {
  basePath,
  chunkType,
  connect,
  createdPath,
  download,
  encodeChunks,
  head,
  offsetOf,
  patch,
  post,
  request,
  requestHead,
} from './tus.js';

describe('creation-with-upload', () => {
  it('T-074 T-080 T-081 T-082: part of the upload may come with the creation', async () => {
    const server = await startServer();
    const options = await request(server, 'OPTIONS', basePath);
    expect(options.header('tus-extension')).toContain('creation-with-upload');
    const headers = { ...chunkType, 'Upload-Length': '11' };
    const response = await post(server, headers, { body: 'hello' });
    expect([response.status, response.header('upload-offset')]).toEqual([201, '5']);
    const path = createdPath(response);
    expect(await offsetOf(server, path)).toBe(5);
    await patch(server, path, 5, ' world');
    expect((await download(server, path)).toString()).toBe('hello world');
  });

  it('T-077: so may all of it, which finishes the upload once', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const headers = { ...chunkType, 'Upload-Length': '5' };
    const response = await post(server, headers, { body: 'hello' });
    expect([response.status, response.header('upload-offset')]).toEqual([201, '5']);
    expect(hooks.calls).toEqual([
      'access create',
      'pre-create',
      'post-create',
      'post-receive',
      'pre-finish',
      'post-finish',
    ]);
  });

  it('T-077: it follows the rules of PATCH: too much is 413', async () => {
    const server = await startServer({ maxSize: 10 });
    const headers = { ...chunkType, 'Upload-Length': '5' };
    expect((await post(server, headers, { body: 'hello!' })).status).toBe(413);
    const deferred = { ...chunkType, 'Upload-Defer-Length': '1' };
    expect((await post(server, deferred, { body: 'hello world' })).status).toBe(413);
    expect(await server.files()).toEqual([]);
    const chunked = await post(server, headers, { body: 'hello!', chunked: true });
    expect(chunked.status).toBe(413);
    const [id = ''] = await server.files();
    expect((await download(server, basePath + id)).toString()).toBe('hello');
  });

  it('T-078: a body of another type is not upload data', async () => {
    const server = await startServer();
    for (const type of [{ 'Content-Type': 'text/plain' }, {}]) {
      const response = await post(server, { ...type, 'Upload-Length': '5' }, { body: 'hello' });
      expect([response.status, response.header('upload-offset')]).toEqual([201, undefined]);
      expect(await offsetOf(server, createdPath(response))).toBe(0);
    }
  });

  it('T-075 T-078: where the extension is off, a body is not upload data either', async () => {
    const server = await startServer({ disableExtensions: ['creation-with-upload'] });
    const headers = { ...chunkType, 'Upload-Length': '5' };
    const response = await post(server, headers, { body: 'hello' });
    expect([response.status, response.header('upload-offset')]).toEqual([201, undefined]);
    expect(await offsetOf(server, createdPath(response))).toBe(0);
  });

  it('T-079: what arrived before the connection broke is kept', async () => {
    const server = await startServer();
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Length': '10', 'Content-Length': '10' };
    await client.send(`${requestHead('POST', basePath, { headers })}hello`);
    await expect.poll(async () => (await server.files()).length).toBe(2);
    const [id = ''] = await server.files();
    await expect.poll(async () => (await download(server, basePath + id)).toString()).toBe('hello');
    client.reset();
    expect(await offsetOf(server, basePath + id)).toBe(5);
  });

  it('T-080: the offset is told for an empty body too', async () => {
    const server = await startServer();
    const headers = { ...chunkType, 'Upload-Length': '5' };
    expect((await post(server, headers)).header('upload-offset')).toBe('0');
    expect((await post(server, headers, { chunked: true })).header('upload-offset')).toBe('0');
  });
});

describe('Expect: 100-continue', () => {
  const expecting = { Expect: '100-continue', ...chunkType };

  it('T-083 field 49: an accepted request is told to go on, once', async () => {
    const server = await startServer();
    const client = await connect(server);
    const headers = { ...expecting, 'Upload-Length': '5', 'Content-Length': '5' };
    await client.send(requestHead('POST', basePath, { headers }));
    expect(await client.continued()).toBe(true);
    await client.send('hello');
    const response = await client.response();
    expect([response.status, response.informational]).toEqual([201, [100]]);
    expect(response.header('upload-offset')).toBe('5');
  });

  it('T-083 field 49: a client that does not wait for it is served as well', async () => {
    const server = await startServer();
    const path = createdPath(await post(server, { 'Upload-Length': '5' }));
    const headers = { ...expecting, 'Upload-Offset': '0' };
    const response = await request(server, 'PATCH', path, { headers, body: 'hello' });
    expect(response.status).toBe(204);
  });

  it('T-083 D-18 field 49: a POST that is refused gets no 100, and its connection is closed', async () => {
    const hooks = recordingHooks({
      'pre-create': async ({ upload }) =>
        'refused' in upload.metadata ? { rejectUpload: true, httpResponse: { status: 403 } } : {},
    });
    const server = await startServer({ maxSize: 100, hooks });
    const refused = [
      [412, { 'Tus-Resumable': '0.2.2', 'Upload-Length': '5' }],
      [413, { 'Upload-Length': '101' }],
      [400, { 'Upload-Length': 'five' }],
      [403, { 'Upload-Length': '5', 'Upload-Metadata': 'refused' }],
    ] as const;
    const clients = refused.map(async ([status, extra]) => {
      const client = await connect(server);
      const headers = { 'Tus-Resumable': '1.0.0', ...expecting, 'Content-Length': '5', ...extra };
      await client.send(requestHead('POST', basePath, { headers, version: false }));
      const response = await client.response();
      expect([response.status, response.informational]).toEqual([status, []]);
      // What comes next could be the body or another request.
      expect(response.header('connection')).toBe('close');
      expect(await client.ended).toBe('fin');
    });
    await Promise.all(clients);
    expect(await server.files()).toEqual([]);
  });

  it('D-18: a Content-Length over the limit is 413 without 100, and bytes are counted anyway', async () => {
    const server = await startServer({ maxSize: 10 });
    const path = createdPath(await post(server, { 'Upload-Defer-Length': '1' }));
    const client = await connect(server);
    const headers = { ...expecting, 'Upload-Offset': '0' };
    await client.send(
      requestHead('PATCH', path, { headers: { ...headers, 'Content-Length': '11' } }),
    );
    const refused = await client.response();
    expect([refused.status, refused.informational]).toEqual([413, []]);
    const lying = await connect(server);
    await lying.send(requestHead('PATCH', path, { headers, chunked: true }));
    expect(await lying.continued()).toBe(true);
    await lying.send(encodeChunks(Buffer.alloc(11)));
    expect((await lying.response()).status).toBe(413);
    expect((await head(server, path)).header('upload-offset')).toBe('10');
  });

  it('field 49: a URL outside the base path gets the usual 100', async () => {
    const server = await startServer();
    const client = await connect(server);
    const headers = { Expect: '100-continue', 'Content-Length': '5' };
    await client.send(requestHead('POST', '/elsewhere', { headers }));
    expect(await client.continued()).toBe(true);
    await client.send('hello');
    expect((await client.response()).status).toBe(404);
  });

  it('field 49: the absolute form of a URL is ours too', async () => {
    const server = await startServer();
    const client = await connect(server);
    const headers = { ...expecting, 'Upload-Length': 'five', 'Content-Length': '5' };
    await client.send(requestHead('POST', `http://uploads.example${basePath}`, { headers }));
    const response = await client.response();
    expect([response.status, response.informational]).toEqual([400, []]);
  });
});
