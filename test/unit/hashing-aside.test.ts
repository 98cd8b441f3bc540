import { spawn } from 'node:child_process';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Worker } from 'node:worker_threads';
import { MemoryStore } from 'tuskd';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openHasher } from '../../dist/uploads/checksum/open-hasher.js';
import { algorithms, checksum, digestOf } from '../protocol/checksums.js';
import { startServer } from '../protocol/server.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  download,
  offsetOf,
  patch,
  requestHead,
} from '../protocol/tus.js';

const MiB = 1024 * 1024;
/** Node tells of each thread that is started. */
const threads: Worker[] = [];
process.on('worker', (worker) => threads.push(worker));

const open = (names: readonly (typeof algorithms)[number][], length?: number) =>
  openHasher(names, length, (error) => {
    throw error;
  });

describe('hashing aside', () => {
  beforeAll(async () => (await open(['sha1'])).close());

  it('begins where a body is large or of unknown length, in one thread', async () => {
    const before = threads.length;
    const hashers = await Promise.all([open(['sha1']), open(['md5'], 300 * 1024)]);
    for (const hasher of hashers) hasher.close();
    expect([before, threads.length]).toEqual([1, 1]);
  });

  it('gives the digests of each body, whatever comes between', async () => {
    const jobs = Array.from({ length: 20 }, async () => {
      const content = randomBytes(randomInt(3 * MiB));
      const hasher = await open(algorithms);
      for (let start = 0; start < content.length;) {
        const batch = Array.from({ length: randomInt(1, 20) }, () => {
          const bytes = content.subarray(start, start + randomInt(1, 70_000));
          start += bytes.length;
          return bytes;
        });
        await hasher.update(batch);
      }
      const algorithm = algorithms[randomInt(algorithms.length)] ?? 'sha1';
      const digest = Buffer.from(await hasher.digest(algorithm)).toString('hex');
      hasher.close();
      expect(digest).toBe(digestOf(algorithm, content).toString('hex'));
    });
    await Promise.all(jobs);
  });

  it('takes nobody else’s memory: views, pools and shared memory stay as they are', async () => {
    const pooled = Buffer.from('a small buffer is cut from a pool that others share');
    const large = new ArrayBuffer(2 * MiB);
    const view = new Uint8Array(large, 5, MiB).fill(7);
    const shared = new Uint8Array(new SharedArrayBuffer(1000)).fill(8);
    const hasher = await open(['sha1']);
    await hasher.update([pooled, view, shared]);
    const digest = await hasher.digest('sha1');
    hasher.close();
    const expected = createHash('sha1').update(pooled).update(view).update(shared).digest();
    expect(Buffer.from(digest)).toEqual(expected);
    expect([pooled.toString().length, large.byteLength, view.at(-1), shared.at(-1)]).toEqual([
      51,
      2 * MiB,
      7,
      8,
    ]);
  });

  it('holds a few MiB at most, however fast bytes come', async () => {
    const hasher = await open(algorithms);
    const batch = [randomBytes(MiB)];
    const before = process.memoryUsage().arrayBuffers;
    let highest = 0;
    // Six digests take much longer than to hand over the bytes.
    for (let count = 0; count < 100; count++) {
      await hasher.update(batch);
      highest = Math.max(highest, process.memoryUsage().arrayBuffers - before);
    }
    await hasher.digest('sha1');
    hasher.close();
    expect(highest).toBeLessThanOrEqual(5 * MiB);
  });

  it('fails where its thread dies, and the next body gets another one', async () => {
    const hasher = await open(['sha1']);
    await hasher.update([randomBytes(MiB)]);
    const thread = threads.at(-1);
    // It is waited for before anybody knows that the thread will not answer.
    const ended = thread?.terminate();
    await expect(hasher.digest('sha1')).rejects.toThrow('hashing thread');
    await ended;
    await expect(hasher.update([randomBytes(10)])).rejects.toThrow('hashing thread');
    hasher.close();
    const next = await open(['sha1']);
    await next.update([Buffer.from('hello')]);
    expect(Buffer.from(await next.digest('sha1'))).toEqual(digestOf('sha1', 'hello'));
    next.close();
    expect(threads.at(-1)).not.toBe(thread);
  });
});

describe('a server that hashes aside', () => {
  it('answers 500 where the thread dies in the middle, keeps nothing, and goes on', async () => {
    const server = await startServer();
    const content = randomBytes(4 * MiB);
    const path = await create(server, content.length);
    const headers = {
      ...chunkType,
      'Upload-Offset': '0',
      'Content-Length': String(content.length),
      ...checksum('sha256', content),
    };
    const client = await connect(server);
    await client.send(requestHead('PATCH', path, { headers }));
    await client.send(content.subarray(0, 2 * MiB));
    const file = join(server.directory, path.slice(basePath.length));
    await expect.poll(async () => (await stat(file)).size).toBeGreaterThan(0);
    await threads.at(-1)?.terminate();
    await client.send(content.subarray(2 * MiB));
    expect((await client.response()).status).toBe(500);
    expect(await offsetOf(server, path)).toBe(0);
    const { 'Upload-Checksum': value } = headers;
    const again = await patch(server, path, 0, content, { 'Upload-Checksum': value });
    expect(again.status).toBe(204);
    expect((await download(server, path)).equals(content)).toBe(true);
  });

  it('leaves alone what a store keeps of the bodies', async () => {
    const store = new MemoryStore();
    const server = await startServer({ wrapStore: () => store });
    const uploads = Array.from({ length: 4 }, async () => {
      const content = randomBytes(3 * MiB);
      const path = await create(server, content.length);
      const answer = await patch(server, path, 0, content, checksum('sha1', content));
      expect(answer.status).toBe(204);
      expect((await download(server, path)).equals(content)).toBe(true);
    });
    await Promise.all(uploads);
  });
});

describe('the process', () => {
  it.each([true, false])(
    'ends although the thread is there, its bodies closed: %s',
    async (closes) => {
      const module = new URL('../../dist/uploads/checksum/open-hasher.js', import.meta.url).href;
      const code = `
      import { openHasher } from ${JSON.stringify(module)};
      const alive = setInterval(() => undefined, 1000);
      const hasher = await openHasher(['sha1'], undefined, (error) => { throw error; });
      await hasher.update([Buffer.from('hello')]);
      process.stdout.write(Buffer.from(await hasher.digest('sha1')).toString('hex'));
      ${closes ? 'hasher.close();' : ''}
      clearInterval(alive);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      onTestFinished(() => void child.kill());
      const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
      expect([output, exitCode]).toEqual([digestOf('sha1', 'hello').toString('hex'), 0]);
    },
  );
});
