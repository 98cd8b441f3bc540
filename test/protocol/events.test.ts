import { describe, expect, it } from 'vitest';
import type { UploadEventName, UploadNews } from 'tuskd';
import { startServer, type TestServer } from './server.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  lengthHeader,
  offsetOf,
  patch,
  post,
  request,
  requestHead,
} from './tus.js';

const names = [
  'upload-created',
  'upload-received',
  'upload-finished',
  'upload-terminated',
] as const;

describe('handler.on()', () => {
  it('tells what happened to an upload, in order, with the upload as it is then', async () => {
    const server = await startServer();
    const heard = listen(server);
    const path = await create(server, 5);
    await patch(server, path, 0, 'hel');
    await patch(server, path, 3, 'lo');
    await request(server, 'DELETE', path);
    expect(heard.map(({ name, news }) => [name, news.upload.offset])).toEqual([
      ['upload-created', 0],
      ['upload-received', 3],
      ['upload-received', 5],
      ['upload-finished', 5],
      ['upload-terminated', 5],
    ]);
    expect(new Set(heard.map(({ news }) => basePath + news.upload.id))).toEqual(new Set([path]));
    expect(heard.map(({ news }) => news.request.method)).toEqual([
      'POST',
      'PATCH',
      'PATCH',
      'PATCH',
      'DELETE',
    ]);
  });

  it('tells of progress while bytes arrive', async () => {
    const server = await startServer({ progressIntervalMs: 1 });
    const path = await create(server, 5);
    const progressed = new Promise<number>((resolve) =>
      server.handler.on(
        'upload-received',
        ({ upload }) => upload.offset > 0 && resolve(upload.offset),
      ),
    );
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '5' };
    await client.send(Buffer.from(`${requestHead('PATCH', path, { headers })}hel`));
    expect(await progressed).toBe(3);
  });

  it('goes on, and answers, where a listener throws: the error is logged', async () => {
    const server = await startServer();
    server.handler.on('upload-created', () => {
      throw new Error('a bad listener');
    });
    const heard = listen(server);
    const headers = { ...lengthHeader(5), ...chunkType };
    expect((await post(server, headers, { body: 'hello' })).status).toBe(201);
    expect(heard.map(({ name }) => name)).toEqual(names.slice(0, 3));
    const logged = server.log.find(({ event }) => event === 'UploadListenerError');
    expect(logged?.fields['error']).toEqual(new Error('a bad listener'));
  });

  it('tells nothing any more once it was ended', async () => {
    const server = await startServer();
    let calls = 0;
    const end = server.handler.on('upload-created', () => (calls += 1));
    await create(server, 5);
    end();
    await create(server, 5);
    expect(calls).toBe(1);
  });
});

describe('HandlerOptions.signal', () => {
  it('interrupts what is being received and keeps its bytes, as close() does', async () => {
    const shutdown = new AbortController();
    const first = await startServer({ signal: shutdown.signal, progressIntervalMs: 1 });
    const path = await create(first, 5);
    const received = new Promise((resolve) => first.handler.on('upload-received', resolve));
    const client = await connect(first);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '5' };
    await client.send(Buffer.from(`${requestHead('PATCH', path, { headers })}hel`));
    await received;
    shutdown.abort();
    expect((await client.response()).status).toBe(503);
    expect((await patch(first, path, 3, 'lo')).status).toBe(503);
    const second = await startServer({ directory: first.directory });
    expect(await offsetOf(second, path)).toBe(3);
  });

  it('refuses bodies from the start where it has fired already', async () => {
    const server = await startServer({ signal: AbortSignal.abort() });
    const path = await create(server, 5);
    expect((await patch(server, path, 0, 'hello')).status).toBe(503);
  });
});

function listen({ handler }: TestServer): { name: UploadEventName; news: UploadNews }[] {
  const heard: { name: UploadEventName; news: UploadNews }[] = [];
  for (const name of names) handler.on(name, (news) => heard.push({ name, news }));
  return heard;
}
