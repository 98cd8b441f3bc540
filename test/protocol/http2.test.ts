import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { skipIfMissing } from '../services/skip-if-missing.js';
import { recordingHooks } from './hooks.js';
import {
  answer,
  ask,
  begin,
  chunkAt,
  connectHttp2,
  createOver,
  offsetOver,
} from './http2-client.js';
import { startHttp2Server } from './http2-server.js';
import { startServer } from './server.js';
import { basePath, chunkType, connect, exchange, lengthHeader, request } from './tus.js';

const MiB = 1024 * 1024;
const [plain, encrypted] = [false, true];

describe.each([
  ['in clear text', plain],
  ['encrypted', encrypted],
])('HTTP/2 %s', (_, secure) => {
  it('T-023: every method is answered as it is over HTTP/1.1', async () => {
    const server = await startHttp2Server({ secure });
    const session = await connectHttp2(server);
    const plainServer = await startServer();
    for (const [method, path, headers] of [
      ['OPTIONS', basePath, {}],
      ['POST', basePath, lengthHeader(0)],
      ['POST', basePath, { 'Upload-Length': '-1' }],
      ['POST', basePath, { ...lengthHeader(5), 'X-HTTP-Method-Override': 'DELETE' }],
      ['HEAD', `${basePath}unknown`, {}],
      ['GET', `${basePath}unknown`, { Origin: 'https://page.example' }],
      ['PATCH', `${basePath}unknown`, { ...chunkType, 'Upload-Offset': '0' }],
      ['DELETE', `${basePath}unknown`, {}],
      ['PUT', basePath, {}],
      ['GET', '/elsewhere', {}],
    ] as const) {
      const expected = await request(plainServer, method, path, { headers });
      const found = await ask(session, method, path, { headers });
      expect([found.status, found.text, found.code]).toEqual([expected.status, expected.text, 0]);
      expect(comparable(Object.entries(found.headers))).toEqual(comparable(expected.headerLines));
    }
    expect(server.errors).toEqual([]);
  });

  it('uploads, resumes, downloads and removes', async () => {
    const server = await startHttp2Server({ secure });
    const session = await connectHttp2(server);
    const content = randomBytes(3 * MiB);
    const path = await createOver(session, content.length);
    const first = { headers: chunkAt(0), body: content.subarray(0, MiB) };
    expect((await ask(session, 'PATCH', path, first)).status).toBe(204);
    expect(await offsetOver(session, path)).toBe(MiB);
    const second = { headers: chunkAt(MiB), body: content.subarray(MiB) };
    expect((await ask(session, 'PATCH', path, second)).headers['upload-offset']).toBe(
      String(content.length),
    );
    const stream = begin(session, 'GET', path, {});
    const pieces: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => pieces.push(bytes));
    expect((await answer(stream)).headers['content-length']).toBe(String(content.length));
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
    expect((await ask(session, 'DELETE', path)).status).toBe(204);
    expect((await ask(session, 'HEAD', path)).status).toBe(404);
    expect(server.errors).toEqual([]);
  });

  it('a Location has the scheme and the authority of its request; so a hook sees a host', async () => {
    const hooks = recordingHooks({
      'pre-create': async ({ request: { headers, remoteAddress, uri } }) => {
        expect([headers['host'], headers['x-twice'], uri]).toEqual([
          ['uploads.example:8443'],
          ['1', '2'],
          basePath,
        ]);
        expect(Object.keys(headers).filter((name) => name.startsWith(':'))).toEqual([]);
        expect(remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
        return {};
      },
    });
    const session = await connectHttp2(await startHttp2Server({ secure, hooks }));
    const headers = { ':authority': 'uploads.example:8443', 'X-Twice': ['1', '2'] };
    const made = await ask(session, 'POST', basePath, {
      headers: { ...headers, ...lengthHeader(5) },
    });
    expect(made.status).toBe(201);
    const scheme = secure ? 'https' : 'http';
    expect(made.headers.location).toMatch(`${scheme}://uploads.example:8443${basePath}`);
  });

  it('field 51: a hundred streams on one connection upload at once, each its own', async () => {
    // Or the client of node:http2 refuses streams of its own, once so much waits to be sent.
    const options = { maxSessionMemory: 1000 };
    const session = await connectHttp2(await startHttp2Server({ secure }), options);
    const uploads = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const content = randomBytes(300_000);
        const path = await createOver(session, content.length);
        const sent = await ask(session, 'PATCH', path, { headers: chunkAt(0), body: content });
        return { content, path, sent };
      }),
    );
    for (const { content, path, sent } of uploads) {
      expect([sent.status, sent.code]).toEqual([204, 0]);
      const stream = begin(session, 'GET', path, {});
      const pieces: Buffer[] = [];
      stream.on('data', (bytes: Buffer) => pieces.push(bytes));
      await answer(stream);
      expect(Buffer.concat(pieces).equals(content)).toBe(true);
    }
  });
});

describe('Expect: 100-continue over HTTP/2', () => {
  it('is answered once the request is accepted, and only then', async () => {
    const session = await connectHttp2(await startHttp2Server());
    const path = await createOver(session, 5);
    const told: number[] = [];
    const send = async (offset: number) => {
      const headers = { ...chunkAt(offset), Expect: '100-continue' };
      const stream = begin(session, 'PATCH', path, { headers, body: 'hello' });
      stream.on('continue', () => {
        told.push(offset);
        stream.end('hello');
      });
      return answer(stream);
    };
    expect((await send(3)).status).toBe(409);
    expect((await send(0)).status).toBe(204);
    expect(told).toEqual([0]);
  });
});

describe('headers of answers over HTTP/2', () => {
  it('those of a connection are left out, and space around others', async () => {
    const headers = {
      Connection: 'close',
      'Keep-Alive': '5',
      'Transfer-Encoding': 'x',
      'X-A': ' b ',
    };
    const hooks = recordingHooks({
      'pre-create': async () => ({ rejectUpload: true, httpResponse: { status: 402, headers } }),
    });
    const warnings: string[] = [];
    const onWarning = ({ message }: Error) => void warnings.push(message);
    process.on('warning', onWarning);
    const session = await connectHttp2(await startHttp2Server({ hooks }));
    const refused = await ask(session, 'POST', basePath, { headers: lengthHeader(5) });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect([refused.status, refused.headers['x-a']]).toEqual([402, 'b']);
    for (const name of ['connection', 'keep-alive', 'transfer-encoding']) {
      expect(refused.headers[name]).toBeUndefined();
    }
    expect(warnings).toEqual([]);
  });

  it.each<Record<string, string>>([{ 'bad name': 'x' }, { 'X-A': 'a\r\nb: c' }])(
    'a hook that names one that cannot be sent (%j) is a 500, as over HTTP/1.1',
    async (headers) => {
      const hooks = recordingHooks({ 'pre-create': async () => ({ httpResponse: { headers } }) });
      const session = await connectHttp2(await startHttp2Server({ hooks }));
      const made = await ask(session, 'POST', basePath, { headers: lengthHeader(5) });
      expect([made.status, made.code]).toEqual([500, 0]);
      const over1 = await request(await startServer({ hooks }), 'POST', basePath, {
        headers: lengthHeader(5),
      });
      expect(over1.status).toBe(500);
    },
  );
});

describe('curl', () => {
  it('--http2-prior-knowledge uploads and is answered over HTTP/2', async ({ skip }) => {
    const curl = promisify(execFile);
    const version = await curl('curl', ['--version']).catch(() => undefined);
    const able = version?.stdout.includes('HTTP2') === true;
    skipIfMissing(skip, able ? undefined : 'no curl with HTTP/2: apt-get install curl');
    const server = await startHttp2Server();
    const url = `http://127.0.0.1:${server.port}`;
    const options = ['-sS', '--http2-prior-knowledge', '-i', '-H', 'Tus-Resumable: 1.0.0'];
    const made = await curl('curl', [
      ...options,
      '-X',
      'POST',
      '-H',
      'Upload-Length: 5',
      url + basePath,
    ]);
    expect(made.stdout).toMatch(/^HTTP\/2 201/);
    const [, location = ''] = /^location: (\S+)/m.exec(made.stdout) ?? [];
    const chunk = ['-H', 'Upload-Offset: 0', '-H', 'Content-Type: application/offset+octet-stream'];
    const sent = await curl('curl', [...options, '-X', 'PATCH', ...chunk, '-d', 'hello', location]);
    expect(sent.stdout).toMatch(/^HTTP\/2 204/);
    expect((await curl('curl', [...options, location])).stdout).toMatch(/\r\n\r\nhello$/);
  });
});

describe('a server of HTTP/2 with allowHTTP1', () => {
  it('serves clients of HTTP/1.1, and does not cut their requests off', async () => {
    const { port, server } = await startHttp2Server({ secure: true });
    expect(server).toMatchObject({ requestTimeout: 0, headersTimeout: 60_000 });
    const client = await connect({ port }, true);
    const made = await exchange(client, 'POST', basePath, { headers: lengthHeader(5) });
    const path = new URL(made.header('location') ?? '').pathname;
    const headers = { ...chunkType, 'Upload-Offset': '0' };
    const sent = await exchange(client, 'PATCH', path, { headers, body: 'hello' });
    expect(sent.status).toBe(204);
  });
});

/** Without what differs from one answer to the next, and from one version to the other. */
function comparable(lines: readonly (readonly [string, unknown])[]): string[] {
  const differing = new Set([':status', 'connection', 'date', 'keep-alive', 'location']);
  return lines
    .map(([name, value]) => [name.toLowerCase(), String(value).trim()] as const)
    .filter(([name]) => !differing.has(name))
    .map((line) => line.join(': '))
    .sort();
}
