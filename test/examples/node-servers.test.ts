import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../protocol/server.js';
import { chunkType, connect, create, requestHead } from '../protocol/tus.js';
import { skipIfMissing } from '../services/skip-if-missing.js';
import { checkUploads } from './check-uploads.js';
import { startExample, whyNoExamples } from './start-example.js';

const MiB = 1024 * 1024;

const reason = whyNoExamples();
beforeEach(({ skip }) => skipIfMissing(skip, reason));

describe.each(['node-http', 'compose', 'express', 'fastify', 'koa'])('examples/%s', (name) => {
  it('takes, resumes and gives back uploads, and tells errors', async () => {
    const directory = await temporaryDirectory();
    const { url } = await startExample(`${name}/server.mjs`, { directory });
    const { resumedAt } = await checkUploads(url, join(directory, 'uploads'));
    // One chunk of three, and of the second all that went out before its connection broke.
    expect(resumedAt).toBeGreaterThan(4 * MiB);
  });

  it('is attached to its server: nobody is told to send what is going to be refused', async () => {
    const directory = await temporaryDirectory();
    const example = await startExample(`${name}/server.mjs`, { directory });
    const path = await create(example, 10);
    const client = await connect(example);
    const headers = { ...chunkType, 'Upload-Offset': '5', 'Content-Length': '5' };
    const expecting = { headers: { ...headers, Expect: '100-continue' } };
    await client.send(requestHead('PATCH', path, expecting));
    expect(await client.continued()).toBe(false);
    expect((await client.response()).status).toBe(409);
  });
});

describe.each(['compose', 'express', 'fastify', 'koa'])('examples/%s', (name) => {
  it('answers what is no upload itself', async () => {
    const example = await startExample(`${name}/server.mjs`, {
      directory: await temporaryDirectory(),
    });
    const answer = await fetch(new URL('/', example.url));
    expect(answer.headers.get('tus-resumable')).toBeNull();
    expect(await answer.text()).toBe('uploads go to /files/\n');
  });
});

describe('examples/node-http', () => {
  it('stores what has arrived and ends when it is told to', async () => {
    const directory = await temporaryDirectory();
    const example = await startExample('node-http/server.mjs', { directory });
    const path = await create(example, 10);
    const client = await connect(example);
    const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '10' };
    const expecting = { headers: { ...headers, Expect: '100-continue' } };
    await client.send(requestHead('PATCH', path, expecting));
    expect(await client.continued()).toBe(true);
    await client.send('hello');
    const data = join(directory, 'uploads', path.slice('/files/'.length));
    await expect.poll(() => readFile(data, 'utf8')).toBe('hello');

    const exited = once(example.process, 'exit');
    example.process.kill('SIGTERM');
    expect((await client.response()).text).toMatch(/^ERR_SERVER_SHUTDOWN: /);
    expect(await exited).toEqual([0, null]);
  });
});
