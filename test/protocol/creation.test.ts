import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import { basePath, chunkType, create, createdPath, head, patch, post, request } from './tus.js';

describe('creation', () => {
  it('T-050 T-056: pairs of key and value, values may be empty', async () => {
    const server = await startServer();
    for (const metadata of ['a YQ==,b Yg==', 'k', 'k ,b YQ==', 'k,b YQ==', 'b YQ==,k ']) {
      const response = await post(server, { 'Upload-Length': '5', 'Upload-Metadata': metadata });
      expect([metadata, response.status]).toEqual([metadata, 201]);
    }
  });

  it.each([
    'a  YQ==',
    'a YQ== x',
    'a YQ==, YQ==',
    ',',
    'a YQ==,',
    ',a YQ==',
    's\xc5\x82owo YQ==',
    'a !!!',
    'a YQ',
    'a YQ=== ',
    'a _-8=',
    'a YQ==,a Yg==',
    'a,a',
  ])(
    'T-051 T-052 T-053 T-054 T-055 field 39: metadata "%s" is 400 and makes nothing',
    async (metadata) => {
      const server = await startServer();
      const response = await post(server, { 'Upload-Length': '5', 'Upload-Metadata': metadata });
      expect(response.status).toBe(400);
      expect(response.text).toMatch(/^ERR_INVALID_METADATA: .*pair \d/);
      expect(await server.files()).toEqual([]);
    },
  );

  it('T-054: values need not be UTF-8', async () => {
    const server = await startServer();
    const headers = { 'Upload-Length': '5', 'Upload-Metadata': 'binary /wD+' };
    expect((await post(server, headers)).status).toBe(201);
  });

  it('T-058 field 43: only POST to the creation URL creates', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const response = await request(server, 'POST', path, { headers: { 'Upload-Length': '5' } });
    expect(response.status).toBe(405);
    expect(response.header('allow')).toBe('OPTIONS, HEAD, PATCH, GET, DELETE');
    const other = await request(server, 'PUT', basePath, { headers: { 'Upload-Length': '5' } });
    expect([other.status, other.header('allow')]).toEqual([405, 'OPTIONS, POST']);
    expect(await server.files()).toHaveLength(2);
  });

  it('T-059 field 36: Upload-Length or Upload-Defer-Length, not both and not neither', async () => {
    const server = await startServer();
    expect((await post(server, {})).text).toMatch(/^ERR_INVALID_UPLOAD_LENGTH: /);
    const both = await post(server, { 'Upload-Length': '5', 'Upload-Defer-Length': '1' });
    expect([both.status, both.text]).toEqual([
      400,
      'ERR_AMBIGUOUS_UPLOAD_LENGTH: provided both Upload-Length and Upload-Defer-Length\n',
    ]);
    expect(await server.files()).toEqual([]);
  });

  it.each(['2', '0', 'true', '', '01', '1, 1'])(
    'T-048 T-060 field 36: Upload-Defer-Length "%s" is 400',
    async (deferred) => {
      const server = await startServer();
      const response = await post(server, { 'Upload-Defer-Length': deferred });
      expect(response.status).toBe(400);
      expect(response.text).toMatch(/^ERR_INVALID_UPLOAD_LENGTH_DEFER: /);
      expect(await server.files()).toEqual([]);
    },
  );

  it('T-064: creation-defer-length is announced, and refused where it is off', async () => {
    const on = await startServer();
    const announced = (await request(on, 'OPTIONS', basePath)).header('tus-extension');
    expect(announced).toContain('creation-defer-length');
    const off = await startServer({ disableExtensions: ['creation-defer-length'] });
    expect((await post(off, { 'Upload-Defer-Length': '1' })).status).toBe(501);
    expect(await off.files()).toEqual([]);
  });

  it('T-065: an empty upload is complete when it is made', async () => {
    const server = await startServer();
    const response = await head(server, await create(server, 0));
    expect(response.header('upload-offset')).toBe('0');
    expect(response.header('upload-length')).toBe('0');
  });

  it('T-065: an empty upload is finished when it is made, and once', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const path = await create(server, 0);
    const response = await head(server, path);
    expect(response.header('upload-offset')).toBe('0');
    expect(response.header('upload-length')).toBe('0');
    await patch(server, path, 0, '');
    expect(hooks.calls.filter((call) => call.endsWith('finish'))).toEqual([
      'pre-finish',
      'post-finish',
    ]);
  });

  it('T-065 T-078: an empty upload is finished whatever body comes with the request', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    for (const chunked of [true, false]) {
      hooks.calls.length = 0;
      const headers = { 'Upload-Length': '0', 'Content-Type': 'text/plain' };
      const response = await post(server, headers, { body: 'hello', chunked });
      expect(response.status).toBe(201);
      expect(hooks.calls).toContain('post-finish');
    }
  });

  it('T-067: a hook can refuse by the metadata, and nothing is left', async () => {
    const hooks = recordingHooks({
      'pre-create': async ({ upload }) =>
        upload.metadata['filetype'] === 'text/html'
          ? { rejectUpload: true, httpResponse: { status: 422, body: 'no pages' } }
          : {},
    });
    const server = await startServer({ hooks });
    const metadata = `filetype ${Buffer.from('text/html').toString('base64')}`;
    const response = await post(server, { 'Upload-Length': '5', 'Upload-Metadata': metadata });
    expect([response.status, response.text]).toEqual([422, 'no pages']);
    expect(await server.files()).toEqual([]);
    expect(hooks.calls).toEqual(['access create', 'pre-create']);
  });

  it('T-069: more than the limit is 413 and makes nothing', async () => {
    const server = await startServer({ maxSize: 10 });
    const response = await post(server, { 'Upload-Length': '11' });
    expect(response.status).toBe(413);
    expect(response.text).toMatch(/^ERR_MAX_SIZE_EXCEEDED: /);
    expect(await server.files()).toEqual([]);
    expect((await post(server, { 'Upload-Length': '10' })).status).toBe(201);
  });

  it('T-070 T-071 T-073: 201 with a Location where the core protocol goes on', async () => {
    const server = await startServer();
    const response = await post(server, { 'Upload-Length': '5' });
    expect(response.status).toBe(201);
    expect(response.header('location')).toMatch(/^http:\/\/uploads\.example\/files\/[\da-f]{32}$/);
    expect((await patch(server, createdPath(response), 0, 'hello')).status).toBe(204);
  });

  it('T-071: the Location stays where a hook changes the answer', async () => {
    const hooks = recordingHooks({
      'pre-create': async () => ({
        httpResponse: { status: 200, headers: { 'content-type': 'text/plain' }, body: 'made' },
      }),
    });
    const server = await startServer({ hooks });
    const response = await post(server, { 'Upload-Length': '5' });
    expect([response.status, response.text]).toEqual([200, 'made']);
    expect(response.header('location')).toContain('/files/');
  });

  it('T-072 D-19: the Location is absolute, and begins as the base path says', async () => {
    const server = await startServer({ basePath: 'https://cdn.example/up' });
    const response = await request(server, 'POST', '/up/', { headers: { 'Upload-Length': '5' } });
    expect(response.header('location')).toMatch(/^https:\/\/cdn\.example\/up\/[\da-f]{32}$/);
  });

  it('T-076: creation-with-upload is not offered without creation', async () => {
    const server = await startServer({ disableExtensions: ['creation'] });
    const options = await request(server, 'OPTIONS', basePath);
    expect(options.header('tus-extension')).not.toContain('creation');
    expect((await post(server, { ...chunkType, 'Upload-Length': '5' })).status).toBe(405);
    expect(await server.files()).toEqual([]);
  });
});
