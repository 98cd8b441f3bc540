import { once } from 'node:events';
import { readdir, readlink } from 'node:fs/promises';
import { type DataStore, MemoryLocker, MemoryStore, TusError, type Upload, wrapStore } from 'tuskd';
import { describe, expect, it } from 'vitest';
import { concat, final, idOf, part, partial } from './concat.js';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import {
  basePath,
  connect,
  create,
  createdPath,
  download,
  head,
  patch,
  request,
  requestHead,
} from './tus.js';

type Concat = NonNullable<Upload['concat']>;

/** A store that puts together as `around` wants it. */
function storeWith(
  around: (run: Concat, ...args: Parameters<Concat>) => Promise<void>,
  core: DataStore = new MemoryStore(),
): DataStore {
  return wrapStore(core, {
    upload: (upload) => {
      const run: Concat = async (parts, options) => {
        await upload.concat?.(parts, options);
      };
      return { concat: (parts, options) => around(run, parts, options) };
    },
  });
}

/** A store whose concatenations take until they are told to go on, or are given up. */
function slowStore(core?: DataStore) {
  const waiting: (() => void)[] = [];
  const store = storeWith(async (run, parts, options) => {
    const signal = options?.signal ?? new AbortController().signal;
    await Promise.race([new Promise<void>((go) => waiting.push(go)), once(signal, 'abort')]);
    signal.throwIfAborted();
    await run(parts, options);
  }, core);
  return {
    store,
    began: () => waiting.length,
    goOn: () => waiting.splice(0).forEach((go) => go()),
  };
}

/** Takes note of the IDs that are to be locked. */
class NotingLocker extends MemoryLocker {
  readonly asked: string[] = [];

  override lock(...args: Parameters<MemoryLocker['lock']>): ReturnType<MemoryLocker['lock']> {
    this.asked.push(args[0]);
    return super.lock(...args);
  }
}

const finishes = ({ calls }: { readonly calls: readonly string[] }) =>
  calls.filter((call) => call.endsWith('-finish'));

describe('a concatenation that takes long', () => {
  it('T-131: HEAD answers within about a second, without an offset', async () => {
    const slow = slowStore();
    const server = await startServer({ wrapStore: () => slow.store });
    const a = await create(server, 5, partial);
    const path = await final(server, a);
    expect((await patch(server, a, 0, 'hello')).status).toBe(204);
    await expect.poll(slow.began).toBe(1);
    const began = performance.now();
    const [waiting, reading, changing] = await Promise.all([
      head(server, path),
      request(server, 'GET', path),
      patch(server, path, 0, 'hello'),
    ]);
    expect(performance.now() - began).toBeLessThan(3000);
    expect([waiting.status, waiting.header('upload-offset')]).toEqual([200, undefined]);
    expect(waiting.header('upload-length')).toBe('5');
    expect(reading.text).toMatch(/^ERR_INCOMPLETE_UPLOAD: /);
    expect([changing.status, changing.text.split(':')[0]]).toEqual([403, 'ERR_MODIFY_FINAL']);
    expect(slow.began()).toBe(1);
    slow.goOn();
    await expect.poll(async () => (await head(server, path)).header('upload-offset')).toBe('5');
    expect((await download(server, path)).toString()).toBe('hello');
  });

  it('goes on when the client of POST has left, also after the time for that', async () => {
    const slow = slowStore();
    const hooks = recordingHooks();
    const server = await startServer({
      wrapStore: () => slow.store,
      hooks,
      requestCompletionTimeoutMs: 0,
    });
    const a = await part(server, 'hello');
    const client = await connect(server);
    const headers = { 'Upload-Concat': `final;${a}`, 'Content-Length': '0' };
    await client.send(requestHead('POST', basePath, { headers }));
    await expect.poll(slow.began).toBe(1);
    await client.close();
    // A request of another client that comes and goes meanwhile.
    await head(server, a);
    slow.goOn();
    await expect.poll(() => finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
    const id = hooks.published.at(-1)?.upload.id ?? '';
    expect((await download(server, `/files/${id}`)).toString()).toBe('hello');
  });

  it('is one for all requests that want it, and done once', async () => {
    const slow = slowStore();
    const hooks = recordingHooks();
    const locker = new NotingLocker();
    const server = await startServer({ wrapStore: () => slow.store, hooks, locker });
    const a = await create(server, 5, partial);
    const path = await final(server, a);
    await patch(server, a, 0, 'hello');
    await expect.poll(slow.began).toBe(1);
    const heads = Array.from({ length: 20 }, () => head(server, path));
    const received = (): number =>
      server.log.filter(
        ({ event, fields }) => event === 'RequestIncoming' && fields['path'] === path,
      ).length;
    await expect.poll(received).toBe(20);
    slow.goOn();
    for (const { status } of await Promise.all(heads)) expect(status).toBe(200);
    await expect.poll(async () => (await head(server, path)).header('upload-offset')).toBe('5');
    expect(slow.began()).toBe(0);
    expect(locker.asked.filter((id) => id === idOf(path))).toHaveLength(1);
    expect(finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
  });

  it('T-112: DELETE ends it, and nothing is left', async () => {
    const slow = slowStore();
    const hooks = recordingHooks();
    const server = await startServer({ wrapStore: () => slow.store, hooks });
    const a = await create(server, 5, partial);
    const path = await final(server, a);
    await patch(server, a, 0, 'hello');
    await expect.poll(slow.began).toBe(1);
    expect((await request(server, 'DELETE', path)).status).toBe(204);
    expect((await head(server, path)).status).toBe(404);
    expect(finishes(hooks)).toEqual([]);
    expect((await head(server, a)).status).toBe(200);
  });

  it('another server neither waits for it long nor breaks it off', async () => {
    const locker = new MemoryLocker();
    const core = new MemoryStore();
    const slow = slowStore(core);
    const hooks = recordingHooks();
    const one = await startServer({ wrapStore: () => slow.store, locker, hooks });
    const two = await startServer({
      wrapStore: () => core,
      locker,
      hooks,
      acquireLockTimeoutMs: 100,
    });
    const a = await create(one, 5, partial);
    const path = await final(one, a);
    await patch(one, a, 0, 'hello');
    await expect.poll(slow.began).toBe(1);
    const waiting = await head(two, path);
    expect([waiting.status, waiting.header('upload-offset')]).toEqual([200, undefined]);
    const changing = await patch(two, path, 0, 'hello');
    expect([changing.status, changing.text.split(':')[0]]).toEqual([403, 'ERR_MODIFY_FINAL']);
    const removing = await request(two, 'DELETE', path);
    expect([removing.status, removing.header('retry-after')]).toEqual([423, '1']);
    slow.goOn();
    await expect.poll(async () => (await head(two, path)).header('upload-offset')).toBe('5');
    expect(finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
  });

  it('a shutdown ends the wait for another server as well', async () => {
    const locker = new NotingLocker();
    const core = new MemoryStore();
    const slow = slowStore(core);
    const one = await startServer({ wrapStore: () => slow.store, locker });
    const two = await startServer({ wrapStore: () => core, locker });
    const a = await create(one, 5, partial);
    const path = await final(one, a);
    await patch(one, a, 0, 'hello');
    await expect.poll(slow.began).toBe(1);
    locker.asked.length = 0;
    const waiting = head(two, path);
    await expect.poll(() => locker.asked).toEqual([idOf(path)]);
    await two.handler.close();
    expect((await waiting).status).toBe(503);
  });

  it('a shutdown ends it, its client is told, and the next server goes on with what waits', async () => {
    const core = new MemoryStore();
    const slow = slowStore(core);
    const hooks = recordingHooks();
    const server = await startServer({ wrapStore: () => slow.store, hooks });
    const [a, b] = [await part(server, 'hello'), await create(server, 5, partial)];
    const path = await final(server, b);
    await patch(server, b, 0, 'world');
    const posted = concat(server, [a]);
    await expect.poll(slow.began).toBe(2);
    await server.handler.close();
    const response = await posted;
    expect([response.status, response.text.split(':')[0]]).toEqual([503, 'ERR_SERVER_SHUTDOWN']);
    expect(finishes(hooks)).toEqual([]);
    const refused = await concat(server, [a]);
    expect([refused.status, refused.text.split(':')[0]]).toEqual([503, 'ERR_SERVER_SHUTDOWN']);
    // Only the part's, the parts themselves and the one that waits are left.
    const ids: string[] = [];
    for await (const { id } of core.list()) ids.push(id);
    expect(ids.sort()).toEqual([a, b, path].map(idOf).sort());
    const next = await startServer({ wrapStore: () => core, hooks });
    expect((await head(next, path)).header('upload-offset')).toBe('5');
    expect(finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
  });
});

describe('a concatenation that fails', () => {
  it.each([
    [
      'without an answer of its own',
      new Error('secret /path'),
      503,
      'ERR_CONCATENATION_FAILED',
      '5',
    ],
    ['with a full disk', new TusError('ERR_STORAGE_FULL'), 507, 'ERR_STORAGE_FULL', undefined],
    [
      'as its part goes',
      new TusError('ERR_UPLOAD_NOT_FOUND'),
      410,
      'ERR_PARTIAL_UPLOAD_GONE',
      undefined,
    ],
  ])('%s leaves nothing, and POST says why', async (_, error, status, code, retryAfter) => {
    let fails = true;
    const core = new MemoryStore();
    const store = storeWith(async (run, parts, options) => {
      if (fails) throw error;
      await run(parts, options);
    }, core);
    const hooks = recordingHooks();
    const server = await startServer({ wrapStore: () => store, hooks });
    const a = await part(server, 'hello');
    const response = await concat(server, [a]);
    expect([response.status, response.text.split(':')[0]]).toEqual([status, code]);
    expect(response.header('retry-after')).toBe(retryAfter);
    expect(response.text).not.toContain('secret');
    const ids: string[] = [];
    for await (const { id } of core.list()) ids.push(id);
    expect(ids).toEqual([idOf(a)]);
    expect(hooks.calls.slice(-2)).toEqual(['post-create', 'post-terminate']);
    fails = false;
    expect((await download(server, await final(server, a))).toString()).toBe('hello');
  });

  it('while nobody waits is logged; the next request tries again, and is told', async () => {
    let failures = 2;
    const store = storeWith(async (run, parts, options) => {
      if (failures-- > 0) throw new Error('the bucket is away');
      await run(parts, options);
    });
    const hooks = recordingHooks();
    const server = await startServer({ wrapStore: () => store, hooks });
    const a = await create(server, 5, partial);
    const path = await final(server, a);
    expect((await patch(server, a, 0, 'hello')).status).toBe(204);
    await expect.poll(() => server.log.map(({ event }) => event)).toContain('CompletionFailed');
    const failed = await head(server, path);
    expect([failed.status, failed.header('retry-after')]).toEqual([503, '5']);
    expect(failed.header('upload-offset')).toBeUndefined();
    expect((await head(server, path)).header('upload-offset')).toBe('5');
    expect(finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
  });

  it('a finish step that fails is run again by the next HEAD', async () => {
    let failures = 2;
    const hooks = recordingHooks({
      'pre-finish': async () => {
        if (failures-- > 0) throw new Error('the hook is down');
        return { httpResponse: { headers: { 'X-Hook': 'yes' } } };
      },
    });
    const store = new MemoryStore();
    const server = await startServer({ hooks, wrapStore: () => store });
    const a = await create(server, 5, partial);
    const path = await final(server, a);
    await patch(server, a, 0, 'hello');
    await expect.poll(() => server.log.map(({ event }) => event)).toContain('CompletionFailed');
    const failed = await head(server, path);
    expect([failed.status, failed.header('upload-offset')]).toEqual([503, undefined]);
    const done = await head(server, path);
    expect([done.status, done.header('upload-offset')]).toEqual([200, '5']);
    expect(done.header('x-hook')).toBeUndefined();
    expect(finishes(hooks)).toEqual(['pre-finish', 'pre-finish', 'pre-finish', 'post-finish']);
  });

  it('where the note cannot be written, nothing is made', async () => {
    const core = new MemoryStore();
    const store = wrapStore(core, {
      upload: () => ({
        noteAwaitedBy: async () => {
          throw new TusError('ERR_STORAGE_FULL');
        },
      }),
    });
    const server = await startServer({ wrapStore: () => store });
    const a = await create(server, 5, partial);
    expect((await concat(server, [a])).status).toBe(507);
    const ids: string[] = [];
    for await (const { id } of core.list()) ids.push(id);
    expect(ids).toEqual([idOf(a)]);
  });

  it('a part that went while it was noted is one that does not exist', async () => {
    const core = new MemoryStore();
    const store = wrapStore(core, {
      upload: (upload) => ({
        noteAwaitedBy: async (finalId) => {
          await upload.terminate?.();
          await upload.noteAwaitedBy?.(finalId);
        },
      }),
    });
    const server = await startServer({ wrapStore: () => store });
    const response = await concat(server, [await create(server, 5, partial)]);
    expect([response.status, response.text.split(':')[0]]).toEqual([
      400,
      'ERR_PARTIAL_UPLOAD_NOT_FOUND',
    ]);
  });
});

describe('an upload that was cut short by a crash', () => {
  it('is repaired by whatever comes next: HEAD, GET', async () => {
    for (const method of ['HEAD', 'GET']) {
      const core = new MemoryStore();
      const hooks = recordingHooks();
      const server = await startServer({ wrapStore: () => core, hooks });
      const [a, b] = [await part(server, 'hello'), await part(server, ' world')];
      // What a POST leaves that did not come further: made, and nothing copied.
      const draft = { metadata: {}, isPartial: false, isFinal: true, parts: [a, b].map(idOf) };
      const { id } = await core.newUpload({ ...draft, size: 11 });
      hooks.calls.length = 0;
      const response = await request(server, method, `/files/${id}`);
      expect(response.status).toBe(200);
      // Hooks that are on now, though none was when it was made.
      expect(finishes(hooks)).toEqual(['pre-finish', 'post-finish']);
      const inspected = await head(server, `/files/${id}`);
      expect(inspected.header('upload-offset')).toBe('11');
      // As tusd leaves it: without the header that made it.
      expect(inspected.header('upload-concat')).toBe(
        `final;http://uploads.example${a} http://uploads.example${b}`,
      );
      expect((await download(server, `/files/${id}`)).toString()).toBe('hello world');
      expect(createdPath(await concat(server, [a]))).not.toBe('');
    }
  });
});

describe.skipIf(process.platform !== 'linux')('descriptors', () => {
  it('field 30: none is left open, whether it goes well or not', async () => {
    const server = await startServer({ wrapStore: (store) => store });
    const parts = [await part(server, 'hello'), await part(server, ' world')];
    const ofFiles = async (): Promise<number> => {
      const links = await readdir('/proc/self/fd');
      const targets = await Promise.all(
        links.map((link) => readlink(`/proc/self/fd/${link}`).catch(() => '')),
      );
      return targets.filter((target) => target.startsWith(server.directory)).length;
    };
    for (let round = 0; round < 20; round += 1) {
      await final(server, ...parts);
      expect((await concat(server, [...parts, '/files/unknown'])).status).toBe(400);
      const waiting = await create(server, 1, partial);
      const late = await final(server, ...parts, waiting);
      await patch(server, waiting, 0, '!');
      await expect.poll(async () => (await head(server, late)).header('upload-offset')).toBe('12');
    }
    expect(await ofFiles()).toBe(0);
  });
});
