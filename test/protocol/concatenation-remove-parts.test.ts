import { once } from 'node:events';
import {
  compose,
  createHandler,
  type DataStore,
  MemoryLocker,
  MemoryStore,
  wrapStore,
} from 'tuskd';
import { describe, expect, it } from 'vitest';
import { final, idOf, part, partial } from './concat.js';
import { recordingHooks } from './hooks.js';
import { startServer as start, type TestServer } from './server.js';
import type { ServerOptions } from './test-server.js';
import { create, download, head, offsetOf, patch } from './tus.js';

function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const store = new MemoryStore();
  return start({ wrapStore: () => store, removeParts: true, ...options });
}

async function idsIn(store: DataStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.list()) ids.push(id);
  return ids.sort();
}

describe('removeParts', () => {
  it('T-127: removes the parts once the final upload is finished, and tells of it', async () => {
    const store = new MemoryStore();
    const hooks = recordingHooks();
    const server = await startServer({ wrapStore: () => store, hooks });
    const [a, b] = [await part(server, 'hello'), await part(server, ' world')];
    hooks.calls.length = 0;
    const path = await final(server, a, b, a);
    expect(await idsIn(store)).toEqual([idOf(path)]);
    expect((await head(server, a)).status).toBe(404);
    expect((await download(server, path)).toString()).toBe('hello worldhello');
    expect(hooks.calls).toEqual(
      [
        'access concatenate',
        'pre-create',
        'post-create',
        'pre-finish',
        'post-terminate',
        'post-terminate',
        'post-finish',
      ].concat(['access inspect', 'access read']),
    );
  });

  it('leaves them where it fails: until the finish step has succeeded', async () => {
    let failures = 1;
    const hooks = recordingHooks({
      'pre-finish': async () => {
        if (failures-- > 0) throw new Error('the hook is down');
        return {};
      },
    });
    const store = new MemoryStore();
    const server = await startServer({ wrapStore: () => store, hooks });
    const [a, b] = [await part(server, 'hello'), await create(server, 5, partial)];
    const path = await final(server, a, b);
    await patch(server, b, 0, 'world');
    await expect.poll(() => server.log.map(({ event }) => event)).toContain('CompletionFailed');
    expect([await offsetOf(server, a), await offsetOf(server, b)]).toEqual([5, 5]);
    expect(await offsetOf(server, path)).toBe(10);
    expect(await idsIn(store)).toEqual([idOf(path)]);
  });

  it('leaves a part that another final upload waits with, which then removes it', async () => {
    const store = new MemoryStore();
    const server = await startServer({ wrapStore: () => store });
    const [shared, other] = [await create(server, 1, partial), await create(server, 1, partial)];
    const [first, second] = [await final(server, shared), await final(server, shared, other)];
    await patch(server, shared, 0, 'a');
    await expect.poll(async () => (await head(server, first)).header('upload-offset')).toBe('1');
    expect(await offsetOf(server, shared)).toBe(1);
    await patch(server, other, 0, 'b');
    await expect.poll(async () => (await head(server, second)).header('upload-offset')).toBe('2');
    expect(await idsIn(store)).toEqual([first, second].map(idOf).sort());
    expect((await download(server, second)).toString()).toBe('ab');
  });

  it('leaves a part that was finished before another final upload began to wait with it', async () => {
    const server = await startServer();
    const [shared, other] = [await part(server, 'a'), await create(server, 1, partial)];
    const waiting = await final(server, shared, other);
    await final(server, shared);
    await patch(server, other, 0, 'b');
    await expect.poll(async () => (await head(server, waiting)).header('upload-offset')).toBe('2');
    expect((await download(server, waiting)).toString()).toBe('ab');
    expect((await head(server, shared)).status).toBe(404);
  });

  it('a sweep leaves a finished part for as long as a final upload waits with it', async () => {
    const hooks = recordingHooks({
      'pre-create': async ({ upload }) => (upload.size === 1 ? { changes: { expiresAt: 1 } } : {}),
    });
    const store = new MemoryStore();
    const server = await startServer({ wrapStore: () => store, hooks });
    const [early, late] = [await part(server, 'a'), await create(server, 2, partial)];
    const waiting = await final(server, early, late);
    const sweeper = createHandler({
      backend: compose({ core: store, locker: new MemoryLocker() }),
      removeParts: true,
    });
    expect(await sweeper.sweep()).toMatchObject({ seen: 3, expired: 0, failed: 0 });
    await patch(server, late, 0, 'bc');
    await expect.poll(async () => (await head(server, waiting)).header('upload-offset')).toBe('3');
  });

  it('goes on after a crash in the middle of it', async () => {
    const core = new MemoryStore();
    let terminations = 0;
    const store = wrapStore(core, {
      upload: (upload) => ({
        terminate: async (options) => {
          terminations += 1;
          if (terminations === 1) await upload.terminate?.(options);
          else if (options?.signal) await once(options.signal, 'abort');
          options?.signal?.throwIfAborted();
        },
      }),
    });
    const server = await startServer({ wrapStore: () => store });
    const parts = await Promise.all(['a', 'b', 'c'].map((text) => part(server, text)));
    const last = await create(server, 1, partial);
    const path = await final(server, ...parts, last);
    await patch(server, last, 0, 'd');
    await expect.poll(() => terminations).toBeGreaterThan(1);
    await server.handler.close();
    expect(await idsIn(core)).toHaveLength(4);
    const next = await startServer({ wrapStore: () => core });
    expect(await offsetOf(next, path)).toBe(4);
    expect(await idsIn(core)).toEqual([idOf(path)]);
    expect((await download(next, path)).toString()).toBe('abcd');
  });

  it('a POST whose end fails when parts have gone keeps the upload, which alone has their bytes', async () => {
    let failures = 1;
    const store = wrapStore(new MemoryStore(), {
      upload: (upload) => ({
        update: async (changes, options) => {
          if (changes.finish === 'done' && failures-- > 0) throw new Error('disk on fire');
          return upload.update(changes, options);
        },
      }),
    });
    const server = await startServer({ wrapStore: () => store });
    const path = await final(server, await part(server, 'hello'), await part(server, ' world'));
    expect((await download(server, path)).toString()).toBe('hello world');
    expect(server.log.map(({ event }) => event)).toContain('CompletionFailed');
    expect(await offsetOf(server, path)).toBe(11);
    expect(await idsIn(store)).toEqual([idOf(path)]);
    expect(server.log.filter(({ event }) => event === 'UploadFinished')).toHaveLength(3);
  });

  it('a part that cannot be removed is logged, and changes nothing', async () => {
    const store = wrapStore(new MemoryStore(), {
      upload: () => ({
        terminate: async () => {
          throw new Error('no permission');
        },
      }),
    });
    const server = await startServer({ wrapStore: () => store });
    const a = await part(server, 'hello');
    const path = await final(server, a);
    expect((await download(server, path)).toString()).toBe('hello');
    expect(server.log.map(({ event }) => event)).toContain('PartRemovalError');
    expect(await offsetOf(server, a)).toBe(5);
  });
});
