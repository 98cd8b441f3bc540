import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import { basePath, create, createdPath, head, lengthHeader, patch, post, request } from './tus.js';

const withId = (id: string) => recordingHooks({ 'pre-create': async () => ({ changes: { id } }) });

describe('routing', () => {
  it('field 45: a query is no part of the ID', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    for (const query of ['?token=1', '?p=a/b', '?', '?a?b', '#fragment']) {
      expect((await head(server, path + query)).status).toBe(200);
    }
    const response = await request(server, 'POST', '/files?token=1', { headers: lengthHeader(5) });
    expect(response.status).toBe(201);
  });

  it('field 45: the creation URL is found with and without its slash', async () => {
    const server = await startServer();
    for (const path of ['/files', '/files/']) {
      expect((await request(server, 'POST', path, { headers: lengthHeader(5) })).status).toBe(201);
    }
  });

  it('D-19 field 45: %2F is a slash, decoded once', async () => {
    const server = await startServer({ hooks: withId('a/b') });
    const path = await create(server, 5);
    expect(path).toBe('/files/a/b');
    for (const same of ['/files/a%2Fb', '/files/a%2fb', '/files/%61/b']) {
      expect((await head(server, same)).status).toBe(200);
    }
    for (const other of ['/files/a%252Fb', '/files/a%2F%2Fb', '/files/a/b/', '/files//a/b']) {
      expect((await head(server, other)).status).toBe(404);
    }
  });

  it.each([
    '%00',
    '%',
    '%zz',
    '%ff',
    '..',
    '.',
    '%2e%2e%2fetc%2fpasswd',
    'a/../b',
    'a%2f..%2fb',
    'a%5Cb',
    'a\\b',
    'C:%5Cwindows',
    'C:',
    'CON',
    'nul.txt',
    's%C5%82o%C5%84ce',
    'unknown.info',
    'unknown.lock',
    '.tuskd',
    'a b',
    'a%20b',
    'x'.repeat(4096),
    `${'x/'.repeat(2000)}x`,
  ])('field 45: the ID "%s" names no upload', async (id) => {
    const server = await startServer();
    const path = await create(server, 5);
    const before = await server.files();
    for (const method of ['HEAD', 'GET', 'PATCH', 'DELETE']) {
      const headers = { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': '0' };
      const response = await request(server, method, basePath + id, { headers });
      expect([400, 404]).toContain(response.status);
    }
    expect(await server.files()).toEqual(before);
    expect((await head(server, path)).status).toBe(200);
  });

  it('field 45: info and data files cannot be reached as uploads of their own', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    for (const suffix of ['.info', '.info.part', '.lock', '%2einfo', '.INFO']) {
      expect((await request(server, 'GET', path + suffix)).status).toBe(404);
    }
  });

  it('field 45: an ID that is part of the base path is an ID', async () => {
    const server = await startServer({ basePath: '/api/files/', hooks: withId('files') });
    const response = await request(server, 'POST', '/api/files/', { headers: lengthHeader(5) });
    expect(createdPath(response)).toBe('/api/files/files');
    expect((await head(server, '/api/files/files')).status).toBe(200);
    expect((await head(server, '/api/files')).status).toBe(405);
  });

  it('field 45: the base path may be the root', async () => {
    const server = await startServer({ basePath: '/' });
    const response = await request(server, 'POST', '/', { headers: lengthHeader(5) });
    const path = createdPath(response);
    expect(path).toMatch(/^\/[\da-f]{32}$/);
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
  });

  it('outside the base path there is nothing', async () => {
    const server = await startServer();
    for (const path of ['/', '/filesystem', '/FILES/', '*']) {
      const response = await request(server, 'OPTIONS', path);
      expect([path, response.status]).toEqual([path, 404]);
    }
  });

  it('D-19: metadata that pre-create changes is what HEAD tells', async () => {
    const hooks = recordingHooks({
      'pre-create': async () => ({ changes: { metadata: { filename: 'b.txt', new: '' } } }),
    });
    const server = await startServer({ hooks });
    const path = await create(server, 5, { 'Upload-Metadata': 'filename YS50eHQ=' });
    const response = await head(server, path);
    expect(response.header('upload-metadata')).toBe('filename Yi50eHQ=,new');
  });

  it('D-19: OPTIONS answers 200, a wrong Content-Type is 415', async () => {
    const server = await startServer();
    expect((await request(server, 'OPTIONS', basePath)).status).toBe(200);
    const path = await create(server, 5);
    const wrong = { 'Content-Type': 'text/plain' };
    expect((await patch(server, path, 0, 'hello', wrong)).status).toBe(415);
  });
});

describe('Location', () => {
  const location = async (options: object, headers: Record<string, string>) => {
    const server = await startServer(options);
    const response = await post(server, { 'Upload-Length': '5', ...headers });
    expect(response.status).toBe(201);
    return response.header('location')?.replace(/[\da-f]{32}$/, 'ID');
  };

  it.each([
    [{ 'X-Forwarded-Proto': 'https' }, 'https://uploads.example/files/ID'],
    [{ 'X-Forwarded-Proto': 'HTTPS, http' }, 'https://uploads.example/files/ID'],
    [{ 'X-Forwarded-Host': 'a.example:8443' }, 'http://a.example:8443/files/ID'],
    [{ 'X-Forwarded-Host': 'a.example, b.example' }, 'http://a.example/files/ID'],
    [{ 'X-Forwarded-Host': 'a.example:80' }, 'http://a.example/files/ID'],
    [
      { 'X-Forwarded-Host': 'a.example:443', 'X-Forwarded-Proto': 'https' },
      'https://a.example/files/ID',
    ],
    [{ 'X-Forwarded-Host': '[2001:db8::1]:8443' }, 'http://[2001:db8::1]:8443/files/ID'],
    [
      { Forwarded: 'for=1.2.3.4;host="a.example:8443";proto=https' },
      'https://a.example:8443/files/ID',
    ],
    [{ Forwarded: 'Host=a.example;Proto=HTTPS, host=b.example' }, 'https://a.example/files/ID'],
    [{ Forwarded: 'host="[2001:db8::1]"' }, 'http://[2001:db8::1]/files/ID'],
    [{ 'X-Forwarded-Host': 'evil"><' }, 'http://uploads.example/files/ID'],
    [{ 'X-Forwarded-Host': 'evil/path' }, 'http://uploads.example/files/ID'],
    [{ 'X-Forwarded-Host': 'user@evil' }, 'http://uploads.example/files/ID'],
    [{ 'X-Forwarded-Proto': 'javascript' }, 'http://uploads.example/files/ID'],
    [{ Forwarded: ';;=,"' }, 'http://uploads.example/files/ID'],
  ] as const)('field 46 T-072: behind a proxy, %j begins it with %s', async (headers, expected) => {
    expect(await location({ behindProxy: true }, headers)).toBe(expected);
  });

  it('field 46: without a proxy such headers are nothing, garbage or not', async () => {
    for (const value of ['https, http', 'evil"><', '']) {
      const headers = { 'X-Forwarded-Proto': value, 'X-Forwarded-Host': value, Forwarded: value };
      expect(await location({}, headers)).toBe('http://uploads.example/files/ID');
    }
  });
});
