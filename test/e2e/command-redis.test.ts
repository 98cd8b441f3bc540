import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../fakes/redis-bench.js';
import { startRedis } from '../services/start-redis.js';
import { useService } from '../services/use-service.js';
import { createUpload, type RunningCommand, useCommands } from './command-helper.js';
import { HalfSent } from './half-sent.js';
import { sent, size, workersOf } from './workers-helper.js';

const start = useCommands();
const redis = useService('redis-server', startRedis);
beforeEach(() => redis().restart());

function startHere(...args: readonly string[]): Promise<RunningCommand> {
  return start({
    args: ['-locker=redis', `-redis-url=${redis().url}`, '-redis-lease=1s', ...args],
  });
}

/** Two processes that know of each other by Redis alone, with one upload directory. */
async function startPair(): Promise<[RunningCommand, RunningCommand]> {
  const first = await startHere();
  const second = await start({
    args: ['-locker=redis', `-redis-url=${redis().url}`, '-redis-lease=1s'],
    directory: first.directory,
  });
  return [first, second];
}

/** The same upload, at another server. */
function locationAt(server: RunningCommand, location: string): string {
  return `${server.url}${location.split('/').at(-1)}`;
}

function patch(location: string, offset: number, body: Buffer<ArrayBuffer>): Promise<Response> {
  return fetch(location, {
    method: 'PATCH',
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': String(offset),
      'Content-Type': 'application/offset+octet-stream',
    },
    body,
  });
}

function rest(letter: string): Buffer<ArrayBuffer> {
  return Buffer.alloc(size - sent, letter);
}

describe('two servers with one upload directory and one Redis', () => {
  it('take over from each other', async () => {
    const [first, second] = await startPair();
    const half = await HalfSent.begin(first, size, sent);
    const since = performance.now();
    const response = await patch(locationAt(second, half.location), sent, rest('y'));
    expect(response.status).toBe(204);
    // Asked and told, not waited for: the lease is a second.
    expect(performance.now() - since).toBeLessThan(900);
    expect(await half.answer()).toContain('ERR_UPLOAD_INTERRUPTED');
  });

  it('tell an offset from which the client can go on', async () => {
    const [first, second] = await startPair();
    const half = await HalfSent.begin(first, size, sent);
    const headers = { 'Tus-Resumable': '1.0.0' };
    const found = await fetch(locationAt(second, half.location), { method: 'HEAD', headers });
    expect(found.headers.get('Upload-Offset')).toBe(String(sent));
    expect(await half.answer()).toContain('ERR_UPLOAD_INTERRUPTED');
  });

  it('go on with what a killed one was at work on, once its lease has ended', async () => {
    const [first, second] = await startPair();
    const half = await HalfSent.begin(first, size, sent);
    first.process.kill('SIGKILL');
    const response = await patch(locationAt(second, half.location), sent, rest('y'));
    expect(response.status).toBe(204);
  });

  it('store and acknowledge nothing of one that stood still for longer than its lease', async () => {
    const [first, second] = await startPair();
    const half = await HalfSent.begin(first, size, sent);
    first.process.kill('SIGSTOP');
    const response = await patch(locationAt(second, half.location), sent, rest('y'));
    expect(response.status).toBe(204);
    // It waits in the socket when the process goes on.
    half.finish();
    first.process.kill('SIGCONT');
    expect(await half.answer()).toMatch(/^HTTP\/1\.1 503 [^]*ERR_LOCK_LOST/);
    const stored = await readFile(half.path);
    expect(stored.equals(Buffer.concat([Buffer.alloc(sent, 'x'), rest('y')]))).toBe(true);
  });

  it('leave nothing in Redis but fences that run out', async () => {
    const [first] = await startPair();
    const location = await createUpload(first.url, size);
    expect((await patch(location, 0, Buffer.alloc(size))).status).toBe(204);
    const observer = connect(redis().port);
    const [key = '', ...others] = await observer.keys('*');
    expect([key, others]).toEqual([expect.stringMatching(/^tuskd:\{\w+\}:fence$/), []]);
    expect(await observer.pttl(key)).toBeGreaterThan(0);
  });
});

describe('a server with locks in Redis', () => {
  it('spreads over workers', async () => {
    const command = await startHere('-workers=2');
    expect(workersOf(command.output())).toHaveLength(2);
    const first = await HalfSent.begin(command, size, sent);
    const second = await HalfSent.resume(command.directory, first.location, size, sent, sent);
    expect(await first.answer()).toContain('ERR_UPLOAD_INTERRUPTED');
    second.finish();
    expect(await second.answer()).toMatch(/^HTTP\/1\.1 204 /);
    expect(await command.stop()).toBe(0);
  });

  it('starts before Redis, says that it is missing, and works once it is there', async () => {
    await redis().kill();
    const command = await startHere('-acquire-lock-timeout=500ms');
    await command.waitForOutput(/event=RedisUnavailable .*ECONNREFUSED/);
    const location = await createUpload(command.url, size);
    const refused = await patch(location, 0, Buffer.alloc(size));
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '1']);
    expect(await refused.text()).toContain('ERR_LOCK_UNAVAILABLE');
    await redis().restart();
    await command.waitForOutput(/event=RedisAvailable/);
    expect((await patch(location, 0, Buffer.alloc(size))).status).toBe(204);
    expect(command.output().match(/event=RedisUnavailable/g)).toHaveLength(1);
    await redis().kill();
    expect(await command.stop()).toBe(0);
  });

  it('never tells the password', async () => {
    const url = redis().url.replace('//', '//someone:pass-word@');
    const command = await start({
      args: ['-locker=redis', `-redis-url=${url}`, '-acquire-lock-timeout=500ms'],
    });
    const location = await createUpload(command.url, size);
    await command.waitForOutput(/event=RedisUnavailable .*WRONGPASS/);
    expect((await patch(location, 0, Buffer.alloc(size))).status).toBe(503);
    await command.waitForOutput(/event=InternalServerError/);
    expect(command.output() + command.errors()).not.toContain('pass-word');
  });
});
