import { describe, expect, it } from 'vitest';
import { startServer } from './server.js';
import { basePath, create, request } from './tus.js';

describe('OPTIONS', () => {
  it('T-040 T-041: the creation URL and an upload answer 200 with Tus-Version', async () => {
    const server = await startServer();
    for (const path of [basePath, '/files', await create(server, 5), '/files/unknown']) {
      const response = await request(server, 'OPTIONS', path);
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.header('tus-version')).toBe('1.0.0');
      expect(response.text).toBe('');
    }
  });

  it('T-041: so does a preflight', async () => {
    const server = await startServer();
    const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'PATCH' };
    const response = await request(server, 'OPTIONS', basePath, { headers, version: false });
    expect(response.status).toBe(200);
    expect(response.header('tus-version')).toBe('1.0.0');
  });

  it('T-042: it tells the extensions and the limit', async () => {
    const server = await startServer({ maxSize: 10 });
    const response = await request(server, 'OPTIONS', basePath);
    expect(response.header('tus-max-size')).toBe('10');
    expect(response.header('tus-extension')).toContain('creation');
  });

  it('T-043 T-044: Tus-Resumable is not needed and not looked at', async () => {
    const server = await startServer();
    const without = await request(server, 'OPTIONS', basePath, { version: false });
    expect(without.status).toBe(200);
    const headers = { 'Tus-Resumable': '9.9.9' };
    const wrong = await request(server, 'OPTIONS', basePath, { version: false, headers });
    expect(wrong.status).toBe(200);
  });
});
