import { Readable } from 'node:stream';
import { compose, MemoryLocker, MemoryStore, wrapStore } from 'tuskd';
import { createFetchHandler, type FetchHandler, type HandlerOptions } from 'tuskd/fetch';
import { describe, expect, it } from 'vitest';
import { recordingHooks } from '../protocol/hooks.js';

const base = 'http://uploads.example/files/';
const tus = { 'Tus-Resumable': '1.0.0' };
const chunk = { ...tus, 'Content-Type': 'application/offset+octet-stream' };

function handlerOf(options: Partial<HandlerOptions> = {}): FetchHandler {
  const backend = compose({ core: new MemoryStore(), locker: new MemoryLocker() });
  return createFetchHandler({ backend, ...options });
}

async function create(
  handler: FetchHandler,
  headers: Record<string, string> = {},
  url = base,
): Promise<string> {
  const response = await handler(
    new Request(url, { method: 'POST', headers: { ...tus, 'Upload-Length': '5', ...headers } }),
  );
  expect(response.status).toBe(201);
  return response.headers.get('location') ?? '';
}

function patch(
  url: string,
  body: string | ReadableStream<Uint8Array>,
  init: RequestInit = {},
): Request {
  return new Request(url, {
    method: 'PATCH',
    headers: { ...chunk, 'Upload-Offset': '0' },
    body,
    ...init,
  });
}

describe('a fetch handler', () => {
  it('announces no trailers, and refuses a chunk whose checksum is to come in one', async () => {
    const handler = handlerOf();
    const options = await handler(new Request(base, { method: 'OPTIONS' }));
    expect(options.headers.get('tus-extension')?.split(',')).toContain('checksum');
    expect(options.headers.get('tus-extension')).not.toContain('checksum-trailer');
    const url = await create(handler);
    const headers = { ...chunk, 'Upload-Offset': '0', Trailer: 'Upload-Checksum' };
    const refused = await handler(patch(url, 'hello', { headers }));
    expect([refused.status, await refused.text()]).toEqual([
      400,
      expect.stringContaining('send it as a header'),
    ]);
  });

  it('serves the protocol', async () => {
    const handler = handlerOf();
    const url = await create(handler);
    const appended = await handler(patch(url, 'hello'));
    expect([appended.status, appended.body]).toEqual([204, null]);
    const inspected = await handler(new Request(url, { method: 'HEAD' }));
    expect([inspected.status, inspected.body]).toEqual([200, null]);
    expect(inspected.headers.get('upload-offset')).toBe('5');
    const sent = await handler(new Request(url));
    expect([sent.headers.get('content-length'), await sent.text()]).toEqual(['5', 'hello']);
    const unknown = await handler(new Request(`${base}unknown`));
    expect(unknown.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await unknown.text()).toBe('ERR_UPLOAD_NOT_FOUND: upload not found\n');
    const gone = await handler(new Request(url, { method: 'DELETE', headers: tus }));
    expect([gone.status, gone.body]).toEqual([204, null]);
  });

  it('field 63: an answer of a hook that can have no body has none', async () => {
    for (const status of [204, 205, 304]) {
      const hooks = recordingHooks({
        'pre-finish': async () => ({ httpResponse: { status, body: 'no place for this' } }),
      });
      const handler = handlerOf({ hooks });
      const response = await handler(patch(await create(handler), 'hello'));
      expect([response.status, response.body]).toEqual([status, null]);
    }
  });

  it.each<Record<string, string>>([
    { 'X-Note': 'a\r\nSet-Cookie: x=y' },
    { 'Bad Name': 'a' },
    { 'X-Note': 'słowo' },
  ])('a header that cannot be sent is 500: %j', async (headers) => {
    const hooks = recordingHooks({
      'pre-create': async () => ({ rejectUpload: true, httpResponse: { headers } }),
    });
    const response = await handlerOf({ hooks })(
      new Request(base, { method: 'POST', headers: { ...tus, 'Upload-Length': '5' } }),
    );
    expect([response.status, response.headers.get('set-cookie')]).toEqual([500, null]);
    expect(response.headers.get('tus-resumable')).toBe('1.0.0');
  });

  it('field 55: a body that somebody has read or holds is 500 with a hint, not a hang', async () => {
    const handler = handlerOf();
    const url = await create(handler);
    const read = patch(url, 'hello');
    await read.text();
    const held = patch(url, 'hello');
    held.body?.getReader();
    for (const request of [read, held]) {
      const response = await handler(request);
      expect(response.status).toBe(500);
      expect(await response.text()).toContain('mount the handler before any body parser');
    }
    const inspected = await handler(new Request(url, { method: 'HEAD' }));
    expect(inspected.headers.get('upload-offset')).toBe('0');
  });

  it('tells hooks the address of the client, where it is given', async () => {
    const hooks = recordingHooks();
    const handler = handlerOf({ hooks });
    const make = () =>
      new Request(base, { method: 'POST', headers: { ...tus, 'Upload-Length': '5' } });
    await handler(make());
    await handler(make(), { remoteAddress: '192.0.2.1:4711' });
    // What Next.js and Bun hand over.
    await handler(make(), { params: Promise.resolve({}) });
    await handler(make(), { port: 80, requestIP: () => null });
    expect(hooks.published.map(({ request }) => request.remoteAddress)).toEqual([
      '',
      '192.0.2.1:4711',
      '',
      '',
    ]);
    expect(hooks.published[0]?.request).toMatchObject({
      method: 'POST',
      uri: '/files/',
      headers: { 'upload-length': ['5'] },
    });
  });

  it('fits where Bun, Deno, Hono and Next.js want a function', () => {
    const handler = handlerOf();
    const bun: (request: Request, server: { readonly port: number }) => Promise<Response> = handler;
    const deno: (request: Request, info: { remoteAddr: object }) => Promise<Response> = handler;
    const next: (request: Request, context: { params: Promise<object> }) => Promise<Response> =
      handler;
    expect([bun, deno, next]).toEqual([handler, handler, handler]);
  });

  it.each([
    [{}, {}, 'http://uploads.example/files/'],
    [{}, { Host: 'public.example:8443' }, 'http://public.example:8443/files/'],
    [{}, { 'X-Forwarded-Host': 'evil.example' }, 'http://uploads.example/files/'],
    [
      { behindProxy: true },
      { 'X-Forwarded-Host': 'a.example', 'X-Forwarded-Proto': 'https' },
      'https://a.example/files/',
    ],
    [{ basePath: 'https://cdn.example/files/' }, {}, 'https://cdn.example/files/'],
  ])('with %j and %j, the Location begins with %s', async (options, headers, expected) => {
    const location = await create(handlerOf(options), headers);
    expect(location.replace(/[\da-f]{32}$/, '')).toBe(expected);
  });

  it('over https, so does the Location', async () => {
    const location = await create(handlerOf(), {}, 'https://uploads.example/files/?token=1');
    expect(location).toMatch(/^https:\/\/uploads\.example\/files\/[\da-f]{32}$/);
  });

  it('field 3: a client that leaves in the middle settles, its bytes are kept, the lock is free', async () => {
    for (const how of ['signal', 'stream'] as const) {
      const handler = handlerOf();
      const url = await create(handler);
      const client = new AbortController();
      let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
      const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
      const answer = handler(patch(url, body, { signal: client.signal, duplex: 'half' }));
      controller?.enqueue(Buffer.from('he'));
      await expect.poll(async () => (await handler(new Request(url))).text()).toBe('he');
      if (how === 'signal') client.abort();
      else controller?.error(new Error('reset'));
      expect(await (await answer).text()).toMatch(/^ERR_CONNECTION_RESET: /);
      const began = performance.now();
      const inspected = await handler(new Request(url, { method: 'HEAD' }));
      expect(inspected.headers.get('upload-offset')).toBe('2');
      expect(performance.now() - began).toBeLessThan(1000);
    }
  });

  it('where storing fails, the rest of the body is not waited for', async () => {
    const core = wrapStore(new MemoryStore(), {
      upload: () => ({
        writeChunk: async (_offset, body) => {
          await body.next();
          return { bytesWritten: 0, error: new Error('the disk is gone') };
        },
      }),
    });
    const handler = handlerOf({ backend: compose({ core, locker: new MemoryLocker() }) });
    const url = await create(handler);
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('he')),
      cancel: () => void (cancelled = true),
    });
    expect((await handler(patch(url, body, { duplex: 'half' }))).status).toBe(500);
    await expect.poll(() => cancelled).toBe(true);
  });

  it('field 12: close() stores what has arrived and takes no more', async () => {
    const handler = handlerOf();
    const url = await create(handler);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('he')),
    });
    const answer = handler(patch(url, body, { duplex: 'half' }));
    await expect.poll(async () => (await handler(new Request(url))).text()).toBe('he');
    await handler.close();
    expect((await answer).status).toBe(503);
    expect((await handler(patch(url, 'hello'))).status).toBe(409);
    const inspected = await handler(new Request(url, { method: 'HEAD' }));
    expect(inspected.headers.get('upload-offset')).toBe('2');
  });
});

describe('a download', () => {
  /** A handler whose downloads are `stream`, and the URL of one. */
  async function serve(stream: Readable, options: Partial<HandlerOptions> = {}) {
    const core = wrapStore(new MemoryStore(), {
      upload: () => ({ read: async () => ({ stream }) }),
    });
    const handler = handlerOf({
      backend: compose({ core, locker: new MemoryLocker() }),
      ...options,
    });
    const url = await create(handler);
    await handler(patch(url, 'hello'));
    return { handler, url };
  }

  it('is destroyed when its client cancels', async () => {
    const stream = new Readable({ read: () => undefined });
    stream.push('he');
    const { handler, url } = await serve(stream);
    const response = await handler(new Request(url));
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(stream.destroyed).toBe(true);
  });

  it('is destroyed when its client has gone, and fails', async () => {
    const stream = new Readable({ read: () => undefined });
    const { handler, url } = await serve(stream);
    const client = new AbortController();
    const response = await handler(new Request(url, { signal: client.signal }));
    const reading = response.text();
    client.abort();
    await expect(reading).rejects.toThrow();
    await expect.poll(() => stream.destroyed).toBe(true);
  });

  it('is destroyed when its client takes nothing for too long', async () => {
    const stream = Readable.from([Buffer.from('he'), Buffer.from('llo')]);
    const { handler, url } = await serve(stream, { networkTimeoutMs: 20 });
    const response = await handler(new Request(url));
    await expect.poll(() => stream.destroyed).toBe(true);
    await expect(response.text()).rejects.toThrow('the client takes no more');
  });

  it('that breaks off does not look complete', async () => {
    const stream = Readable.from(
      (async function* () {
        yield Buffer.from('he');
        throw new Error('the disk is gone');
      })(),
    );
    const { handler, url } = await serve(stream);
    const response = await handler(new Request(url));
    await expect(response.text()).rejects.toThrow('the disk is gone');
    expect(stream.destroyed).toBe(true);
  });

  it('that nobody can have, to HEAD by another name, is destroyed', async () => {
    const stream = Readable.from([Buffer.from('hello')]);
    const { handler, url } = await serve(stream);
    const headers = { 'X-HTTP-Method-Override': 'GET' };
    const response = await handler(new Request(url, { method: 'HEAD', headers }));
    expect([response.status, response.body]).toEqual([200, null]);
    expect(stream.destroyed).toBe(true);
  });
});
