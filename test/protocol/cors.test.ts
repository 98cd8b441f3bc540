import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startServer } from './server.js';
import { basePath, chunkType, create, patch, post, request } from './tus.js';

const origin = { Origin: 'https://app.example' };

describe('CORS', () => {
  it('field 47: a preflight allows all methods and headers of the protocol', async () => {
    const server = await startServer();
    const preflight = { ...origin, 'Access-Control-Request-Method': 'PATCH' };
    const response = await request(server, 'OPTIONS', await create(server, 5), {
      headers: preflight,
      version: false,
    });
    expect(response.header('access-control-allow-origin')).toBe('https://app.example');
    expect(response.header('access-control-allow-methods')?.split(', ').sort()).toEqual(
      ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST'].sort(),
    );
    const allowed = response.header('access-control-allow-headers')?.toLowerCase().split(', ');
    for (const name of [
      'content-type',
      'tus-resumable',
      'upload-checksum',
      'upload-concat',
      'upload-defer-length',
      'upload-length',
      'upload-metadata',
      'upload-offset',
      'x-http-method-override',
      'x-request-id',
    ]) {
      expect(allowed).toContain(name);
    }
    expect(response.header('access-control-max-age')).toBe('86400');
    expect(response.header('vary')).toBe('Origin');
  });

  it('field 47: every answer is readable for the page, errors and downloads too', async () => {
    const server = await startServer({ maxSize: 10 });
    const path = await create(server, 5);
    await writeFile(join(server.directory, 'torn'), '');
    await writeFile(join(server.directory, 'torn.info'), '{');
    const wrongType = { ...origin, 'Upload-Offset': '0', 'Content-Type': 'text/plain' };
    const responses = [
      [201, await post(server, { ...origin, 'Upload-Length': '5' })],
      [204, await patch(server, path, 0, 'he', origin)],
      [200, await request(server, 'GET', path, { headers: origin })],
      [400, await post(server, origin)],
      [404, await request(server, 'HEAD', '/files/unknown', { headers: origin })],
      [404, await request(server, 'GET', '/elsewhere', { headers: origin })],
      [405, await request(server, 'PUT', path, { headers: origin })],
      [409, await patch(server, path, 4, 'o', origin)],
      [412, await request(server, 'DELETE', path, { headers: origin, version: false })],
      [413, await post(server, { ...origin, 'Upload-Length': '11' })],
      [415, await request(server, 'PATCH', path, { headers: wrongType })],
      [500, await request(server, 'GET', '/files/torn', { headers: origin })],
    ] as const;
    for (const [status, response] of responses) {
      expect(response.status).toBe(status);
      expect(response.header('access-control-allow-origin')).toBe('https://app.example');
      expect(response.header('access-control-allow-credentials')).toBeUndefined();
      expect(response.header('vary')).toBe('Origin');
      const exposed = response.header('access-control-expose-headers')?.split(', ');
      for (const name of [
        'Location',
        'Tus-Extension',
        'Tus-Max-Size',
        'Tus-Resumable',
        'Tus-Version',
        'Tus-Checksum-Algorithm',
        'Upload-Concat',
        'Upload-Defer-Length',
        'Upload-Expires',
        'Upload-Length',
        'Upload-Metadata',
        'Upload-Offset',
      ]) {
        expect(exposed).toContain(name);
      }
    }
  });

  it('field 47: an answer to no page varies by origin too, or a cache would give it to one', async () => {
    const server = await startServer();
    const response = await request(server, 'GET', await create(server, 5));
    expect(response.header('vary')).toBe('Origin');
    expect(response.header('access-control-allow-origin')).toBeUndefined();
  });

  it('field 47: switched off, somebody else sends the headers', async () => {
    const server = await startServer({ disableCors: true });
    const response = await request(server, 'OPTIONS', basePath, { headers: origin });
    const names = response.headerLines.map(([name]) => name.toLowerCase());
    expect(names.filter((name) => name.startsWith('access-control') || name === 'vary')).toEqual(
      [],
    );
  });

  it('field 47: an odd origin ends no header', async () => {
    const server = await startServer();
    for (const odd of [
      'null',
      '"><script>',
      'a\x7fb',
      'é',
      'https://a.example, https://b.example',
    ]) {
      const headers = { ...chunkType, Origin: odd };
      const response = await request(server, 'GET', '/files/unknown', { headers });
      expect([400, 404]).toContain(response.status);
    }
  });
});
