import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import { basePath, connect, create, head, patch, request, requestHead, chunkType } from './tus.js';

describe('termination', () => {
  it('T-111: it is announced; where it is off DELETE is 405, everywhere', async () => {
    const on = await startServer();
    const announced = (await request(on, 'OPTIONS', basePath)).header('tus-extension');
    expect(announced).toContain('termination');
    const off = await startServer({ disableExtensions: ['termination'] });
    const path = await create(off, 5);
    const response = await request(off, 'DELETE', path);
    expect([response.status, response.header('allow')]).toEqual([405, 'OPTIONS, HEAD, PATCH, GET']);
    const preflight = await request(off, 'OPTIONS', path, {
      headers: { Origin: 'https://a.example' },
    });
    expect(preflight.header('access-control-allow-methods')).toBe(
      'OPTIONS, POST, HEAD, PATCH, GET',
    );
    expect(await off.files()).toHaveLength(2);
  });

  it('T-112 T-113: DELETE of an unfinished and of a finished upload is 204 and frees all', async () => {
    const server = await startServer();
    const unfinished = await create(server, 5);
    const finished = await create(server, 5);
    await patch(server, finished, 0, 'hello');
    for (const path of [unfinished, finished]) {
      const response = await request(server, 'DELETE', path);
      expect([response.status, response.text]).toEqual([204, '']);
    }
    expect(await server.files()).toEqual([]);
  });

  it('T-112: folders of a nested ID go with the last upload in them', async () => {
    let count = 0;
    const hooks = recordingHooks({
      'pre-create': async () => ({ changes: { id: `2026/11/${(count += 1)}` } }),
    });
    const server = await startServer({ hooks });
    const paths = [await create(server, 5), await create(server, 5)];
    await writeFile(join(server.directory, 'other'), '');
    for (const path of paths) expect((await request(server, 'DELETE', path)).status).toBe(204);
    expect(await server.files()).toEqual(['other']);
  });

  it('T-112 field 8: DELETE stops a running PATCH, and nothing is left', async () => {
    const server = await startServer();
    const path = await create(server, 1_000_000);
    const writer = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '1000000' };
    await writer.send(requestHead('PATCH', path, { headers }));
    await writer.send(Buffer.alloc(500_000));
    const began = performance.now();
    expect((await request(server, 'DELETE', path)).status).toBe(204);
    expect(performance.now() - began).toBeLessThan(500);
    const response = await writer.response();
    expect([response.status, response.text]).toEqual([
      400,
      'ERR_UPLOAD_INTERRUPTED: upload has been interrupted by another request for this upload resource\n',
    ]);
    expect(await server.files()).toEqual([]);
    expect((await head(server, path)).status).toBe(404);
  });

  it('T-114 D-13: afterwards every request is 404', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    await request(server, 'DELETE', path);
    expect((await head(server, path)).status).toBe(404);
    expect((await patch(server, path, 0, 'hello')).status).toBe(404);
    expect((await request(server, 'GET', path)).status).toBe(404);
    expect((await request(server, 'DELETE', path)).status).toBe(404);
  });

  it('T-113: a hook may refuse, with an answer of its own, and the upload stays', async () => {
    const hooks = recordingHooks({
      'pre-terminate': async () => ({
        rejectTermination: true,
        httpResponse: {
          status: 409,
          headers: { 'content-type': 'application/json' },
          body: '{"keep":true}',
        },
      }),
    });
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    const response = await request(server, 'DELETE', path);
    expect([response.status, response.text]).toEqual([409, '{"keep":true}']);
    expect(response.header('content-type')).toBe('application/json');
    expect((await head(server, path)).status).toBe(200);
    expect(hooks.calls).not.toContain('post-terminate');
  });
});
