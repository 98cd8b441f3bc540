import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hooks, TusError } from 'tuskd';
import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  head,
  patch,
  post,
  request,
  requestHead,
} from './tus.js';

describe('pre-create', () => {
  it('may choose the ID, the metadata and the place', async () => {
    const hooks = recordingHooks({
      'pre-create': async ({ upload }) => ({
        changes: {
          id: `users/7/${upload.metadata['name']}`,
          metadata: { owner: '7' },
          storage: { Path: 'elsewhere/seven' },
        },
      }),
    });
    const server = await startServer({ hooks });
    const path = await create(server, 5, { 'Upload-Metadata': 'name YQ==' });
    expect(path).toBe('/files/users/7/a');
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
    expect((await head(server, path)).header('upload-metadata')).toBe('owner Nw==');
    expect((await request(server, 'GET', path)).text).toBe('hello');
    expect(await readFile(join(server.directory, 'elsewhere/seven'), 'utf8')).toBe('hello');
    expect((await request(server, 'DELETE', path)).status).toBe(204);
    expect((await server.files()).filter((name) => !name.endsWith('/'))).toEqual([]);
  });

  it.each(['..', 'a/../../b', '/a', 'a/', 'a.info', 'a b', ''])(
    'may not choose the ID "%s"',
    async (id) => {
      const hooks = recordingHooks({ 'pre-create': async () => ({ changes: { id } }) });
      const server = await startServer({ hooks });
      const response = await post(server, { 'Upload-Length': '5' });
      expect([response.status, response.text]).toEqual([
        500,
        'ERR_INTERNAL_SERVER_ERROR: internal server error\n',
      ]);
      expect(await server.files()).toEqual([]);
    },
  );

  it('field 28: cannot make one upload take the place of another', async () => {
    const hooks = recordingHooks({ 'pre-create': async () => ({ changes: { id: 'same' } }) });
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    await patch(server, path, 0, 'hello');
    const response = await post(server, { 'Upload-Length': '9', 'Upload-Metadata': 'other' });
    expect([response.status, response.text]).toEqual([
      409,
      'ERR_UPLOAD_EXISTS: an upload with this ID exists already\n',
    ]);
    expect((await request(server, 'GET', path)).text).toBe('hello');
    expect((await head(server, path)).header('upload-metadata')).toBeUndefined();
    const many = await Promise.all(
      Array.from({ length: 20 }, () => post(server, { 'Upload-Length': '5' })),
    );
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([409]));
  });

  it('fails with 500, says nothing of why, and leaves nothing', async () => {
    const hooks = recordingHooks({
      'pre-create': async () => {
        throw new Error('secret');
      },
    });
    const server = await startServer({ hooks });
    const response = await post(server, { 'Upload-Length': '5' });
    expect([response.status, response.text]).toEqual([
      500,
      'ERR_INTERNAL_SERVER_ERROR: internal server error\n',
    ]);
    expect(await server.files()).toEqual([]);
    expect(server.log.map(({ event }) => event)).toContain('HookInvocationError');
  });

  it('may refuse with headers of its own, whatever the case of their names', async () => {
    const hooks = recordingHooks({
      'pre-create': async () => ({
        rejectUpload: true,
        httpResponse: {
          status: 401,
          headers: {
            'content-type': 'application/json',
            'content-length': '1',
            'Transfer-Encoding': 'chunked',
            'WWW-Authenticate': 'Bearer',
          },
          body: '{"no":"é"}',
        },
      }),
    });
    const server = await startServer({ hooks });
    const response = await post(server, { 'Upload-Length': '5' });
    expect([response.status, response.text]).toEqual([401, '{"no":"é"}']);
    expect(response.header('content-type')).toBe('application/json');
    expect(response.header('www-authenticate')).toBe('Bearer');
    expect(response.header('tus-resumable')).toBe('1.0.0');
  });

  it.each([{ 'X-Note': 'a\r\nSet-Cookie: x=y' }, { 'Bad Name': 'a' }, { 'X-Note': 'słowo' }])(
    'a header that cannot be sent is 500 and no header: %j',
    async (headers) => {
      const hooks = recordingHooks({
        'pre-create': async () => ({ rejectUpload: true, httpResponse: { headers } }),
      });
      const server = await startServer({ hooks });
      const client = await connect(server);
      await client.send(requestHead('POST', basePath, { headers: { 'Upload-Length': '5' } }));
      const response = await client.response();
      expect([response.status, response.header('set-cookie')]).toEqual([500, undefined]);
      expect(response.header('tus-resumable')).toBe('1.0.0');
      await client.send(requestHead('OPTIONS', basePath));
      expect((await client.response()).status).toBe(200);
    },
  );
});

describe('access', () => {
  it('is asked before the lock and the body: no 100, nothing made, nothing changed', async () => {
    const denied = new Set<string>();
    const locks: string[] = [];
    const hooks: Hooks = {
      ...recordingHooks(),
      access: async (verb) => {
        if (denied.has(verb)) throw new TusError('ERR_ACCESS_DENIED', { detail: 'not yours' });
      },
    };
    const lost = new AbortController().signal;
    const locker = {
      capabilities: { scope: 'process' as const },
      lock: async (id: string) => {
        locks.push(id);
        return { lost, unlock: async () => undefined };
      },
      settle: async (id: string) => {
        locks.push(id);
        return false;
      },
      isLocked: async (id: string) => {
        locks.push(id);
        return false;
      },
    };
    const server = await startServer({ hooks, locker });
    const path = await create(server, 5);
    const before = await server.files();
    for (const verb of ['create', 'append', 'inspect', 'read', 'terminate']) denied.add(verb);
    const requests = [
      ['POST', basePath],
      ['PATCH', path],
      ['HEAD', path],
      ['GET', path],
      ['DELETE', path],
    ] as const;
    for (const [method, target] of requests) {
      const client = await connect(server);
      const headers = { ...chunkType, 'Upload-Length': '5', 'Upload-Offset': '0' };
      const expecting = { ...headers, Expect: '100-continue', 'Content-Length': '5' };
      await client.send(requestHead(method, target, { headers: expecting }));
      const response = await client.response(method === 'HEAD');
      expect([method, response.status, response.informational]).toEqual([method, 403, []]);
      if (method !== 'HEAD')
        expect(response.text).toBe('ERR_ACCESS_DENIED: access denied: not yours\n');
    }
    expect(locks).toEqual([]);
    expect(await server.files()).toEqual(before);
  });

  it('is told the verb and the ID', async () => {
    const asked: unknown[] = [];
    const hooks: Hooks = {
      ...recordingHooks(),
      access: async (verb, ids, { method, uri }) => void asked.push([verb, ids, method, uri]),
    };
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    const id = path.slice(basePath.length);
    asked.length = 0;
    await head(server, `${path}?token=1`);
    expect(asked).toEqual([['inspect', [id], 'HEAD', `${path}?token=1`]]);
  });
});

describe('post-receive', () => {
  it('may stop an upload: it is terminated and its client is told', async () => {
    const hooks = recordingHooks({}, ({ stopUpload, upload }) => {
      if (upload.offset >= 5) stopUpload?.({ status: 422, body: 'a virus' });
    });
    const server = await startServer({ hooks, progressIntervalMs: 5 });
    const path = await create(server, 100);
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '100' };
    await client.send(`${requestHead('PATCH', path, { headers })}hello`);
    const response = await client.response();
    expect([response.status, response.text]).toEqual([422, 'a virus']);
    expect(await server.files()).toEqual([]);
    expect((await head(server, path)).status).toBe(404);
    expect(hooks.calls.filter((call) => call === 'post-terminate')).toHaveLength(1);
    expect(hooks.calls).not.toContain('post-finish');
  });

  it('stopped without an answer of its own is 400 ERR_UPLOAD_STOPPED', async () => {
    const hooks = recordingHooks({}, ({ stopUpload }) => stopUpload?.());
    const server = await startServer({ hooks, progressIntervalMs: 5 });
    const path = await create(server, 100);
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '100' };
    await client.send(requestHead('PATCH', path, { headers }));
    const response = await client.response();
    expect([response.status, response.text]).toEqual([
      400,
      'ERR_UPLOAD_STOPPED: upload has been stopped by server\n',
    ]);
  });

  it('stopped just after the last byte is never told to have succeeded', async () => {
    let stop: (() => void) | undefined;
    const hooks = recordingHooks({}, ({ stopUpload, type }) => {
      if (stopUpload) stop = stopUpload;
      // The event that ends the chunk: its bytes are all stored by now.
      else if (type === 'post-receive') stop?.();
    });
    const server = await startServer({ hooks, progressIntervalMs: 5 });
    const path = await create(server, 5);
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '5' };
    await client.send(`${requestHead('PATCH', path, { headers })}hell`);
    await expect.poll(() => stop).toBeDefined();
    await client.send('o');
    expect((await client.response()).status).toBe(400);
    expect(await server.files()).toEqual([]);
    expect(hooks.calls).not.toContain('post-finish');
  });

  it('that fails changes nothing', async () => {
    const hooks = recordingHooks({}, () => {
      throw new Error('the receiver is down');
    });
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
    expect((await request(server, 'DELETE', path)).status).toBe(204);
  });
});
