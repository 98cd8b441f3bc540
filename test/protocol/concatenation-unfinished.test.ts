import { setImmediate as turn } from 'node:timers/promises';
import {
  compose,
  createHandler,
  type DataStore,
  MemoryLocker,
  MemoryStore,
  type Upload,
  wrapStore,
} from 'tuskd';
import { describe, expect, it } from 'vitest';
import { concat, final, idOf, part, partial } from './concat.js';
import { recordingHooks } from './hooks.js';
import { startServer, type TestServer } from './server.js';
import {
  chunkType,
  connect,
  create,
  createdPath,
  download,
  head,
  offsetOf,
  patch,
  post,
  request,
  requestHead,
} from './tus.js';

const finishes = ({ calls }: { readonly calls: readonly string[] }) =>
  calls.filter((call) => call.endsWith('-finish'));

describe('a final upload whose parts are not finished', () => {
  it('T-123 T-131 T-134: is made at once, has no offset, and is complete when the last part is', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const a = await part(server, 'hello');
    const b = await create(server, 6, partial);
    const path = await final(server, a, b, a);
    const waiting = await head(server, path);
    expect(waiting.status).toBe(200);
    expect(waiting.header('upload-offset')).toBeUndefined();
    expect(waiting.header('upload-length')).toBe('16');
    expect(waiting.header('upload-concat')).toBe(`final;${a} ${b} ${a}`);
    await patch(server, b, 0, ' wor');
    expect((await head(server, path)).header('upload-offset')).toBeUndefined();
    expect(finishes(hooks)).toEqual([]);
    expect((await patch(server, b, 4, 'ld')).status).toBe(204);
    // Nobody asks for it.
    await expect.poll(() => finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
    expect(hooks.published.at(-1)).toMatchObject({
      upload: { id: idOf(path), offset: 16, size: 16 },
      request: { method: 'PATCH', uri: b },
    });
    const complete = await head(server, path);
    expect(complete.header('upload-offset')).toBe('16');
    expect((await download(server, path)).toString()).toBe('hello worldhello');
    expect(finishes(hooks)).toHaveLength(2);
  });

  it('T-134: its length is told as soon as all parts have theirs, and not before', async () => {
    const server = await startServer();
    const [a, b] = [await part(server, 'hello'), await create(server, 'deferred', partial)];
    const path = await final(server, a, b);
    await patch(server, b, 0, ' wor');
    const before = await head(server, path);
    expect(before.header('upload-length')).toBeUndefined();
    expect(before.header('upload-defer-length')).toBe('1');
    await patch(server, b, 4, 'l', { 'Upload-Length': '6' });
    const after = await head(server, path);
    expect([after.header('upload-length'), after.header('upload-offset')]).toEqual([
      '11',
      undefined,
    ]);
    expect(after.header('upload-defer-length')).toBeUndefined();
    await patch(server, b, 5, 'd');
    await expect.poll(() => offsetOf(server, path)).toBe(11);
    expect((await head(server, path)).header('upload-length')).toBe('11');
    expect((await download(server, path)).toString()).toBe('hello world');
  });

  it('never gives out some of its bytes', async () => {
    const server = await startServer();
    const path = await final(server, await part(server, 'hello'), await create(server, 5, partial));
    const response = await request(server, 'GET', path);
    expect([response.status, response.text.split(':')[0]]).toEqual([400, 'ERR_INCOMPLETE_UPLOAD']);
  });

  it.each([
    ['creation-with-upload', async (server: TestServer) => void (await part(server, 'x'))],
    [
      'an empty part',
      async (server: TestServer) => void (await post(server, { ...partial, 'Upload-Length': '0' })),
    ],
  ])('a part that is complete when it is made wakes nobody: %s', async (_, make) => {
    const server = await startServer();
    await make(server);
    await expect.poll(() => server.log.map(({ event }) => event)).toContain('UploadFinished');
    expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('many wait for one part, and each is complete', async () => {
    const server = await startServer();
    const [a, b] = [await create(server, 1, partial), await create(server, 1, partial)];
    const paths: string[] = [];
    for (let i = 0; i < 20; i += 1) paths.push(await final(server, a, b));
    await Promise.all([patch(server, a, 0, 'a'), patch(server, b, 0, 'b')]);
    for (const path of paths) {
      await expect.poll(async () => (await head(server, path)).header('upload-offset')).toBe('2');
      expect((await download(server, path)).toString()).toBe('ab');
    }
  });

  it('does not interrupt what is being sent to a part', async () => {
    const server = await startServer();
    const a = await create(server, 10, partial);
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '10' };
    await client.send(`${requestHead('PATCH', a, { headers })}hello`);
    await expect.poll(() => server.log.map(({ event }) => event)).toContain('ChunkWriteStart');
    const path = await final(server, a);
    await head(server, path);
    await client.send('world');
    expect((await client.response()).status).toBe(204);
    await expect.poll(async () => (await head(server, path)).header('upload-offset')).toBe('10');
  });

  it('is complete whenever the last part ends, also while the final upload is being made', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    for (let round = 0; round < 50; round += 1) {
      hooks.calls.length = 0;
      const [a, b] = [await create(server, 1, partial), await create(server, 1, partial)];
      const [, , made] = await Promise.all([
        patch(server, a, 0, 'a'),
        delayed(round % 10, () => patch(server, b, 0, 'b')),
        delayed((round * 3) % 10, () => concat(server, [a, b])),
      ]);
      expect(made.status).toBe(201);
      // Without a look of HEAD, which would complete it too.
      await expect.poll(() => finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
      expect((await download(server, createdPath(made))).toString()).toBe('ab');
    }
  });

  it.each(['before it is noted', 'after it is noted, before it is looked at again'])(
    'a part that ends %s is not missed',
    async (moment) => {
      let server: TestServer | undefined;
      let a = '';
      const finish = async (): Promise<void> => {
        if (server !== undefined) await patch(server, a, 0, 'a');
      };
      const store = wrapStore(new MemoryStore(), {
        upload: (upload: Upload) => ({
          noteAwaitedBy: async (finalId, options) => {
            if (moment.startsWith('before')) await finish();
            await upload.noteAwaitedBy?.(finalId, options);
            if (moment.startsWith('after')) await finish();
          },
        }),
      });
      const hooks = recordingHooks();
      server = await startServer({ wrapStore: () => store, hooks });
      a = await create(server, 1, partial);
      await final(server, a);
      await expect.poll(() => finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
    },
  );

  it('a part that ends just after HEAD has looked at it is not missed', async () => {
    let server: TestServer | undefined;
    let ending = '';
    const store = wrapStore(new MemoryStore(), {
      upload: (upload: Upload) => ({
        getInfo: async (options) => {
          const info = await upload.getInfo(options);
          if (server === undefined || ending === '' || upload.id !== idOf(ending)) return info;
          const path = ending;
          ending = '';
          await patch(server, path, 0, 'a');
          return info;
        },
      }),
    });
    const hooks = recordingHooks();
    server = await startServer({ wrapStore: () => store, hooks });
    const a = await create(server, 1, partial);
    const path = await final(server, a);
    ending = a;
    expect((await head(server, path)).header('upload-offset')).toBeUndefined();
    await expect.poll(() => finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
  });

  it('one whose name another upload has taken is none that waits: that upload is left alone', async () => {
    const hooks = recordingHooks({
      'pre-create': async ({ upload }) => (upload.isPartial ? {} : { changes: { id: 'same' } }),
    });
    const [store, locker] = [new MemoryStore(), new MemoryLocker()];
    const server = await startServer({ wrapStore: () => store, locker, hooks });
    const a = await create(server, 1, partial);
    const path = await final(server, a);
    await request(server, 'DELETE', path);
    await create(server, 5);
    hooks.calls.length = 0;
    await patch(server, a, 0, 'a');
    await createHandler({ backend: compose({ core: store, locker }), hooks }).completeWaiting();
    expect(finishes(hooks)).toEqual([]);
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
    expect(finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
  });

  it('over the limit once the lengths are known, it is 413 and never complete', async () => {
    const server = await startServer({ maxSize: 10 });
    const a = await create(server, 'deferred', partial);
    const path = await final(server, a, a);
    expect((await head(server, path)).status).toBe(200);
    expect((await patch(server, a, 0, 'sixsix', { 'Upload-Length': '6' })).status).toBe(204);
    await expect.poll(async () => (await head(server, path)).status).toBe(413);
    expect((await request(server, 'GET', path)).status).toBe(413);
    expect((await request(server, 'DELETE', path)).status).toBe(204);
  });

  it('D-13: where a part has gone it is 410, says so, and can be removed', async () => {
    const server = await startServer();
    const [a, b] = [await part(server, 'hello'), await create(server, 5, partial)];
    const path = await final(server, a, b);
    await request(server, 'DELETE', b);
    const gone = await head(server, path);
    expect([gone.status, gone.header('cache-control')]).toEqual([410, 'no-store']);
    const response = await request(server, 'GET', path);
    expect([response.status, response.text]).toEqual([
      410,
      `ERR_PARTIAL_UPLOAD_GONE: a partial upload that this final upload needs has gone: ${idOf(b)}\n`,
    ]);
    expect((await request(server, 'DELETE', path)).status).toBe(204);
  });

  it('where another upload has taken the name of a part, it is 410 as well', async () => {
    const hooks = recordingHooks({
      'pre-create': async ({ upload }) => (upload.isFinal ? {} : { changes: { id: 'same' } }),
    });
    const server = await startServer({ hooks });
    await create(server, 5, partial);
    const path = await final(server, '/files/same');
    await request(server, 'DELETE', '/files/same');
    await part(server, 'another');
    expect((await head(server, path)).status).toBe(410);
    await request(server, 'DELETE', '/files/same');
    await post(server, { ...chunkType, 'Upload-Length': '5' }, { body: 'hello' });
    expect((await head(server, path)).status).toBe(410);
  });

  it('an expired part is one that has gone', async () => {
    const server = await startServer({ expireAfterMs: 1000 });
    const a = await create(server, 5, partial);
    const path = await final(server, a);
    expect((await head(server, path)).header('upload-expires')).toBeUndefined();
    await expect.poll(async () => (await head(server, a)).status).toBe(410);
    expect((await head(server, path)).status).toBe(410);
    const response = await concat(server, [a]);
    expect(response.text).toMatch(/^ERR_PARTIAL_UPLOAD_NOT_FOUND: .* has expired\n$/);
  });

  it('two servers over one store: the part ends on the other one, or this one has gone meanwhile', async () => {
    const store: DataStore = new MemoryStore();
    const locker = new MemoryLocker();
    const hooks = recordingHooks();
    const one = await startServer({ wrapStore: () => store, locker, hooks });
    const two = await startServer({ wrapStore: () => store, locker, hooks });
    const [a, b] = [await create(one, 1, partial), await create(one, 1, partial)];
    const path = await final(one, a, b);
    await patch(one, a, 0, 'a');
    await one.close();
    await patch(two, b, 0, 'b');
    await expect.poll(() => finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
    expect((await download(two, path)).toString()).toBe('ab');
  });
});

async function delayed<T>(turns: number, run: () => Promise<T>): Promise<T> {
  for (let i = 0; i < turns; i += 1) await turn();
  return run();
}
