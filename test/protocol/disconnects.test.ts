import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataStore } from 'tuskd';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closedEarly } from '../runtimes/closed-early.js';
import { recordingHooks } from './hooks.js';
import { startServer, type TestServer } from './server.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  download,
  exchange,
  head,
  offsetOf,
  patch,
  request,
  requestHead,
} from './tus.js';

const MiB = 1024 * 1024;
const chunk = (offset: number, length: number) => ({
  headers: { ...chunkType, 'Upload-Offset': String(offset), 'Content-Length': String(length) },
});

const lockers = ['memory', 'files'] as const;

describe.each(lockers)('disconnects, with locks in %s', (locker) => {
  it('field 1: HEAD takes an upload from a silent client at once, and nothing is lost', async () => {
    const server = await startServer({ locker });
    const content = randomBytes(10 * MiB);
    const path = await create(server, content.length);
    const silent = await connect(server);
    await silent.send(requestHead('PATCH', path, chunk(0, content.length)));
    await silent.send(content.subarray(0, 3 * MiB));
    await expect.poll(async () => (await download(server, path)).length).toBeGreaterThan(0);
    const began = performance.now();
    const offset = await offsetOf(server, path);
    expect(performance.now() - began).toBeLessThan(200);
    expect(offset).toBeGreaterThan(0);
    expect(offset).toBeLessThanOrEqual(3 * MiB);
    expect((await patch(server, path, offset, content.subarray(offset))).status).toBe(204);
    expect(sha256(await download(server, path))).toBe(sha256(content));
    expect((await silent.response()).text).toMatch(/^ERR_UPLOAD_INTERRUPTED: /);
    await closedEarly(silent);
  });

  it('field 1: so does PATCH, even if twenty clients fell silent one after the other', async () => {
    const server = await startServer({ locker });
    const path = await create(server, 1000);
    for (let offset = 0; offset < 20; offset += 1) {
      const silent = await connect(server);
      await silent.send(`${requestHead('PATCH', path, chunk(offset, 1000 - offset))}x`);
      await expect.poll(async () => (await download(server, path)).length).toBe(offset + 1);
    }
    const response = await patch(server, path, 20, 'x'.repeat(980));
    expect(response.status).toBe(204);
  });

  it('field 2: a client that has gone before its body is asked for leaves no lock', async () => {
    const { store, arrived, proceed } = gated();
    const server = await startServer({ locker, wrapStore: store });
    const path = await create(server, 10);
    for (const leave of ['end', 'reset'] as const) {
      const waiting = arrived();
      const client = await connect(server);
      await client.send(`${requestHead('PATCH', path, chunk(0, 10))}he`);
      await waiting;
      client[leave]();
      await delay(20);
      proceed();
    }
    const began = performance.now();
    const offset = await offsetOf(server, path);
    expect(performance.now() - began).toBeLessThan(1000);
    expect([0, 2]).toContain(offset);
    expect((await patch(server, path, offset, 'x'.repeat(10 - offset))).status).toBe(204);
  });

  it('field 2: a whole body whose client has gone before it was asked for is stored', async () => {
    const { store, arrived, proceed } = gated();
    const server = await startServer({ locker, wrapStore: store });
    const path = await create(server, 5);
    const waiting = arrived();
    const client = await connect(server);
    await client.send(`${requestHead('PATCH', path, chunk(0, 5))}hello`);
    await waiting;
    client.reset();
    await delay(20);
    proceed();
    await expect.poll(async () => (await download(server, path)).toString()).toBe('hello');
  });

  it('field 7: a request whose body has arrived is served, not interrupted', async () => {
    const { store, arrived, proceed } = gated();
    const server = await startServer({ locker, wrapStore: store });
    const path = await create(server, 5);
    const waiting = arrived();
    const answer = patch(server, path, 0, 'hello');
    await waiting;
    const inspected = head(server, path);
    await delay(20);
    proceed();
    expect((await answer).status).toBe(204);
    expect((await inspected).header('upload-offset')).toBe('5');
  });

  it('field 4: a client that leaves the line for a lock is not waited for', async () => {
    let release: (() => void) | undefined;
    const finishing = new Promise<object>((resolve) => {
      release = () => resolve({});
    });
    const hooks = recordingHooks({ 'pre-finish': () => finishing });
    const server = await startServer({ locker, hooks });
    const path = await create(server, 5);
    const first = patch(server, path, 0, 'hello');
    await expect.poll(() => hooks.calls).toContain('pre-finish');
    const leaving = await connect(server);
    await leaving.send(requestHead('DELETE', path));
    await expect.poll(() => hooks.calls).toContain('access terminate');
    leaving.reset();
    const again = patch(server, path, 5, '');
    await delay(20);
    release?.();
    expect((await first).status).toBe(204);
    expect((await again).status).toBe(204);
    expect(await offsetOf(server, path)).toBe(5);
  });

  it('D-7: a finish step is not interrupted: the newcomer waits, bounded, and gets 423', async () => {
    let release: (() => void) | undefined;
    const finishing = new Promise<object>((resolve) => {
      release = () => resolve({});
    });
    const hooks = recordingHooks({ 'pre-finish': () => finishing });
    const server = await startServer({ locker, hooks, acquireLockTimeoutMs: 100 });
    const path = await create(server, 5);
    const first = patch(server, path, 0, 'hello');
    await expect.poll(() => hooks.calls).toContain('pre-finish');
    for (const method of ['HEAD', 'DELETE'] as const) {
      const response = await request(server, method, path);
      expect([response.status, response.header('retry-after')]).toEqual([423, '1']);
    }
    release?.();
    expect((await first).status).toBe(204);
    expect((await head(server, path)).status).toBe(200);
  });

  it('D-7: the newest request wins, the older one keeps what it had and is answered 400', async () => {
    const server = await startServer({ locker });
    const path = await create(server, 10);
    const older = await connect(server);
    await older.send(`${requestHead('PATCH', path, chunk(0, 10))}hello`);
    await expect.poll(async () => (await download(server, path)).length).toBe(5);
    expect((await patch(server, path, 5, 'world')).status).toBe(204);
    const response = await older.response();
    expect(response.status).toBe(400);
    expect(response.text).toMatch(/^ERR_UPLOAD_INTERRUPTED: /);
    await closedEarly(older);
    expect((await download(server, path)).toString()).toBe('helloworld');
  });

  it('field 11: progress never goes back and is never ahead of what arrived', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ locker, hooks, progressIntervalMs: 5 });
    const path = await create(server, 1000);
    const client = await connect(server);
    await client.send(requestHead('PATCH', path, chunk(0, 1000)));
    const told = () =>
      hooks.published
        .filter(({ type }) => type === 'post-receive')
        .map(({ upload }) => upload.offset);
    for (let sent = 100; sent <= 1000; sent += 100) {
      await client.send('x'.repeat(100));
      await expect.poll(() => told().at(-1)).toBe(sent);
    }
    expect((await client.response()).status).toBe(204);
    const offsets = told();
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(offsets.at(-1)).toBe(1000);
    const sequences = hooks.published.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  });

  it('field 2 field 3: clients that leave at any moment hold up nobody, and no byte is lost or doubled', async () => {
    const server = await startServer({ locker });
    const content = randomBytes(64 * 1024);
    const path = await create(server, content.length);
    let offset = 0;
    for (let round = 0; round < 48; round += 1) {
      const rest = content.subarray(offset);
      const head = Buffer.from(requestHead('PATCH', path, chunk(offset, rest.length)));
      await breakOff(
        server,
        Buffer.concat([head, rest.subarray(0, 1000)]),
        round * 4 + (round % 4),
      );
      const began = performance.now();
      const next = await offsetOf(server, path);
      expect(performance.now() - began).toBeLessThan(1000);
      expect(next).toBeGreaterThanOrEqual(offset);
      offset = next;
    }
    expect(offset).toBeGreaterThan(0);
    expect((await patch(server, path, offset, content.subarray(offset))).status).toBe(204);
    expect(sha256(await download(server, path))).toBe(sha256(content));
  });

  it('field 12: a shutdown keeps what arrived, answers 503 and takes no more', async () => {
    const server = await startServer({ locker });
    const writers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const path = await create(server, 10);
        const client = await connect(server);
        await client.send(`${requestHead('PATCH', path, chunk(0, 10))}hello`);
        await expect.poll(async () => (await download(server, path)).length).toBe(5);
        return { path, client };
      }),
    );
    await server.handler.close();
    for (const { client, path } of writers) {
      const response = await client.response();
      expect(response.status).toBe(503);
      expect(response.text).toMatch(/^ERR_SERVER_SHUTDOWN: /);
      expect((await download(server, path)).toString()).toBe('hello');
      expect((await patch(server, path, 5, 'world')).status).toBe(503);
    }
    await server.close();
    const restarted = await startServer({ locker, directory: server.directory });
    for (const { path } of writers) {
      expect((await patch(restarted, path, 5, 'world')).status).toBe(204);
    }
  });
});

describe.each(lockers)('breaking off anywhere, with locks in %s', (locker) => {
  it('field 13 field 17: 400 sockets destroyed at every byte and moment leave nothing behind', async () => {
    const failures: unknown[] = [];
    const onFailure = (error: unknown): void => void failures.push(error);
    process.on('unhandledRejection', onFailure).on('uncaughtException', onFailure);
    onTestFinished(() => {
      process.off('unhandledRejection', onFailure).off('uncaughtException', onFailure);
    });
    const server = await startServer({ locker, hooks: recordingHooks() });
    const paths = [await create(server, 100_000), await create(server, 'deferred')];
    await exchange(await connect(server), 'OPTIONS', basePath);
    const descriptors = await openDescriptors(server);
    for (let round = 0; round < 200; round += 1) {
      await breakOff(server, creation(), round);
      const path = paths[round % 2] ?? '';
      await breakOff(server, append(path, await offsetOf(server, path)), round);
    }
    // What a request began goes on for a while after its client has left.
    const left = async () => [await openDescriptors(server), running(server)];
    await expect.poll(left).toEqual([descriptors, 0]);
    expect(failures).toEqual([]);
    let files: string[] = [];
    // A locker may still be giving up on a lock that nobody waits for any more.
    const unexpected = async () => {
      files = (await server.files()).filter((name) => !name.startsWith('.tuskd'));
      return files.filter((name) => !/^[\da-f]{32}(?:\.info)?$/.test(name));
    };
    await expect.poll(unexpected).toEqual([]);
    expect(files.length % 2).toBe(0);
    for (const name of files.filter((file) => !file.endsWith('.info'))) {
      const began = performance.now();
      const path = basePath + name;
      const offset = await offsetOf(server, path);
      expect((await patch(server, path, offset, 'x')).status).toBe(204);
      expect(performance.now() - began).toBeLessThan(1000);
    }
    const logged = server.log.filter(({ event }) => event === 'InternalServerError');
    expect(logged).toEqual([]);
  });
});

function creation(): Buffer {
  const headers = { ...chunkType, 'Upload-Length': '3000', 'Content-Length': '2000' };
  return Buffer.concat([
    Buffer.from(requestHead('POST', basePath, { headers })),
    randomBytes(2000),
  ]);
}

function append(path: string, offset: number): Buffer {
  const head = Buffer.from(requestHead('PATCH', path, chunk(offset, 400)));
  return Buffer.concat([head, randomBytes(300)]);
}

/** Sends a part of a request, waits a moment or not, and goes in one of two ways. */
async function breakOff(server: TestServer, bytes: Buffer, round: number): Promise<void> {
  const client = await connect(server);
  await client.send(bytes.subarray(0, 1 + Math.floor((round * bytes.length) / 200)));
  if (round % 4 === 1) await new Promise((resolve) => setImmediate(resolve));
  if (round % 4 === 2) await delay(round % 7);
  if (round % 3 === 0) client.reset();
  await client.close();
}

/** Requests that have begun and have no answer yet. */
function running({ log }: TestServer): number {
  const count = (name: string) => log.filter(({ event }) => event === name).length;
  return count('RequestIncoming') - count('ResponseOutgoing');
}

/** Open files and sockets of this process, once the server has noticed that its clients are gone. */
async function openDescriptors({ server }: TestServer): Promise<number> {
  const connections = await new Promise((resolve) =>
    server.getConnections((_, count) => resolve(count)),
  );
  const open = await readdir('/proc/self/fd');
  return connections === 0 ? open.length : -1;
}

/** Stores whose every second and later look for an upload waits until it may proceed. */
function gated() {
  let onArrival: (() => void) | undefined;
  let onProceed: (() => void) | undefined;
  let gate: Promise<void> | undefined;
  return {
    store: (store: DataStore): DataStore => ({
      capabilities: store.capabilities,
      newUpload: (draft, options) => store.newUpload(draft, options),
      getUpload: async (id, options) => {
        onArrival?.();
        await gate;
        return store.getUpload(id, options);
      },
      list: (options) => store.list(options),
    }),
    /** Closes the gate; resolves when somebody stands before it. */
    arrived: () => {
      gate = new Promise((resolve) => {
        onProceed = resolve;
      });
      return new Promise<void>((resolve) => {
        onArrival = resolve;
      });
    },
    /** Opens the gate for good, or until it is closed again. */
    proceed: () => {
      gate = undefined;
      onProceed?.();
    },
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
