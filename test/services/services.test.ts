import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from './free-port.js';
import { whyNo } from './programs.js';
import { skipIfMissing } from './skip-if-missing.js';
import { startHaproxy } from './start-haproxy.js';
import { startRedis } from './start-redis.js';
import { startToxiproxy } from './start-toxiproxy.js';
import { startTusd } from './start-tusd.js';
import { useS3 } from './use-s3.js';
import { useService } from './use-service.js';

describe('the S3 server', () => {
  const s3 = useS3();

  it('keeps what is put into a bucket of its own for each test', async () => {
    const client = new S3Client(s3().clientConfig);
    const [one, other] = [await s3().newBucket(), await s3().newBucket()];
    await client.send(new PutObjectCommand({ Bucket: one, Key: 'key', Body: 'hello' }));
    const head = await client.send(new HeadObjectCommand({ Bucket: one, Key: 'key' }));
    expect(head.ContentLength).toBe(5);
    const missing = client.send(new HeadObjectCommand({ Bucket: other, Key: 'key' }));
    await expect(missing).rejects.toMatchObject({ name: 'NotFound' });
  });

  describe('behind tusd', () => {
    beforeEach(({ skip }) => skipIfMissing(skip, whyNo('tusd')));

    it('has what tusd has stored', async () => {
      const bucket = await s3().newBucket();
      const tusd = await startTusd({ s3: s3(), bucket, objectPrefix: 'uploads' });
      onTestFinished(() => tusd.stop());
      const key = await uploadTo(tusd.url);
      const client = new S3Client(s3().clientConfig);
      const Key = `uploads/${key.split('+')[0]}`;
      const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
      expect(head.ContentLength).toBe(5);
    });
  });
});

describe('tusd', () => {
  beforeEach(({ skip }) => skipIfMissing(skip, whyNo('tusd')));

  it('keeps uploads in a directory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tuskd-services-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const tusd = await startTusd({ directory });
    onTestFinished(() => tusd.stop());
    const id = await uploadTo(tusd.url);
    expect((await readdir(directory)).sort()).toEqual([id, `${id}.info`]);
  });
});

describe('Redis', () => {
  const redis = useService('redis-server', startRedis);

  it('answers again when it is resumed', async () => {
    const socket = await dial(redis().port);
    redis().pause();
    let answered = false;
    const answer = once(socket, 'data').then(() => (answered = true));
    socket.write('PING\r\n');
    // Another one answers meanwhile: that this one does not is no lack of time.
    const other = await startRedis();
    await other.stop();
    expect(answered).toBe(false);
    redis().resume();
    await answer;
  });

  it('loses connections and keys when it is killed, and comes back on its port', async () => {
    const { port } = redis();
    const socket = await dial(port);
    expect(await ask(socket, 'SET key value')).toBe('+OK\r\n');
    const closed = once(socket, 'close');
    await redis().kill();
    await closed;
    await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await redis().restart();
    expect(await ask(await dial(port), 'GET key')).toBe('$-1\r\n');
  });
});

describe('HAProxy', () => {
  beforeEach(({ skip }) => skipIfMissing(skip, whyNo('haproxy')));

  it('serves what its configuration says', async () => {
    const backend = await greet('from behind');
    const haproxy = await startHaproxy(
      (port) => `
listen tests
  mode http
  timeout client 10s
  timeout connect 10s
  timeout server 10s
  bind 127.0.0.1:${port}
  server one 127.0.0.1:${backend}
`,
    );
    onTestFinished(() => haproxy.stop());
    const response = await fetch(`http://127.0.0.1:${haproxy.port}/`);
    expect(await response.text()).toBe('from behind');
  });
});

describe('toxiproxy', () => {
  const toxiproxy = useService('toxiproxy', startToxiproxy);

  it('cuts connections off where it is told to', async () => {
    const proxy = await toxiproxy().proxy(await greet('0123456789'.repeat(100)));
    const url = `http://127.0.0.1:${proxy.port}/`;
    const get = async () => (await fetch(url, { headers: { Connection: 'close' } })).text();
    const removeToxic = await proxy.addToxic({
      type: 'limit_data',
      stream: 'downstream',
      attributes: { bytes: 500 },
    });
    await expect(get()).rejects.toThrow(TypeError);
    await removeToxic();
    expect(await get()).toHaveLength(1000);

    await proxy.switch(false);
    await expect(dial(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.switch(true);
    expect(await get()).toHaveLength(1000);
  });
});

/** Uploads five bytes, and resolves with the ID of the upload. */
async function uploadTo(url: string): Promise<string> {
  const created = await fetch(url, {
    method: 'POST',
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': '5',
      'Content-Type': 'application/offset+octet-stream',
    },
    body: 'hello',
  });
  expect(created.status).toBe(201);
  expect(created.headers.get('upload-offset')).toBe('5');
  return (created.headers.get('location') ?? '').slice(url.length);
}

async function greet(greeting: string): Promise<number> {
  const server = http.createServer((_request, response) => void response.end(greeting));
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return port;
}

async function dial(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1').setEncoding('utf8');
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function ask(socket: net.Socket, command: string): Promise<unknown> {
  socket.write(`${command}\r\n`);
  const [answer]: unknown[] = await once(socket, 'data');
  return answer;
}
