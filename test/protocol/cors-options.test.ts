import type { CorsOptions } from 'tuskd';
import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import type { RawResponse } from './response-reader.js';
import { startServer, type TestServer } from './server.js';
import { writeStored } from './stored.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  head,
  lengthHeader,
  patch,
  post,
  request,
  requestHead,
} from './tus.js';

const app = 'https://app.example';
const evil = 'https://evil.example';

function preflight(server: TestServer, origin: string, more = {}): Promise<RawResponse> {
  const headers = { Origin: origin, 'Access-Control-Request-Method': 'PATCH', ...more };
  return request(server, 'OPTIONS', basePath, { headers, version: false });
}

async function isAllowed(server: TestServer, origin: string): Promise<boolean> {
  const response = await post(server, { ...lengthHeader(5), Origin: origin });
  const allowed = response.header('access-control-allow-origin');
  expect([response.status, allowed]).toEqual(
    response.status === 201 ? [201, origin] : [403, undefined],
  );
  return response.status === 201;
}

/** Of one header, however many lines of it there are: some runtimes add their own. */
function values(response: RawResponse, name: string): string[] {
  return response.headerLines
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, value]) => value.split(', '));
}

function corsHeaders(response: RawResponse): string[] {
  const names = response.headerLines.map(([name]) => name.toLowerCase());
  return names.filter((name) => name.startsWith('access-control-'));
}

describe('an origin that is not allowed', () => {
  it('field 47 T-006: is refused with every method, before anything happens', async () => {
    const server = await startServer({ cors: { allowedOrigins: [app] } });
    const path = await create(server, 5);
    const before = await server.files();
    const origin = { Origin: evil };
    const override = { ...origin, 'X-HTTP-Method-Override': 'DELETE' };
    for (const response of [
      await post(server, { ...origin, ...lengthHeader(5) }),
      await patch(server, path, 0, 'hello', origin),
      await head(server, path, origin),
      await request(server, 'GET', path, { headers: origin }),
      await request(server, 'DELETE', path, { headers: origin }),
      await request(server, 'POST', path, { headers: override }),
      await request(server, 'OPTIONS', basePath, { headers: origin }),
      await request(server, 'GET', '/files/unknown', { headers: origin }),
      await preflight(server, evil),
    ]) {
      expect(response.status).toBe(403);
      expect(response.header('tus-resumable')).toBe('1.0.0');
      expect(corsHeaders(response)).toEqual([]);
      expect(values(response, 'vary')).toContain('Origin');
    }
    expect(await server.files()).toEqual(before);
    expect((await head(server, path)).header('upload-offset')).toBe('0');
  });

  it('field 47: is told the code', async () => {
    const server = await startServer({ cors: { allowedOrigins: [app] } });
    const response = await post(server, { ...lengthHeader(5), Origin: evil });
    expect(response.text).toBe('ERR_ORIGIN_NOT_ALLOWED: request origin is not allowed\n');
  });

  it('field 47: is refused before its body or a hook is asked: no 100', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ cors: { allowedOrigins: [app] }, hooks });
    const client = await connect(server);
    const headers = {
      ...chunkType,
      Origin: evil,
      'Upload-Offset': '0',
      'Content-Length': '5',
      Expect: '100-continue',
    };
    await client.send(requestHead('PATCH', '/files/any', { headers }));
    const response = await client.response();
    expect([response.status, response.informational]).toEqual([403, []]);
    expect(hooks.calls).toEqual([]);
  });

  it('field 47: is nobody where no origin is sent', async () => {
    const server = await startServer({ cors: { allowedOrigins: [] } });
    expect((await post(server, lengthHeader(5))).status).toBe(201);
  });

  it('field 47: is anybody’s where CORS is switched off', async () => {
    const server = await startServer({ disableCors: true, cors: { allowedOrigins: [app] } });
    expect((await post(server, { ...lengthHeader(5), Origin: evil })).status).toBe(201);
  });
});

describe('allowed origins', () => {
  it('field 28: in a list, to the letter', async () => {
    const server = await startServer({
      cors: { allowedOrigins: [app, 'http://localhost:8080', 'null'] },
    });
    for (const origin of [app, 'http://localhost:8080', 'null']) {
      expect(await isAllowed(server, origin)).toBe(true);
    }
    for (const origin of [
      evil,
      `${app}:8443`,
      `${app}.evil.example`,
      'http://app.example',
      'https://APP.example',
      'http://localhost',
      `${app}, ${evil}`,
      '*',
    ]) {
      expect(await isAllowed(server, origin)).toBe(false);
    }
  });

  it.each([/^https:\/\/([a-z]+\.)?app\.example$/, /^https:\/\/([a-z]+\.)?app\.example$/gy])(
    'field 28: by a pattern, %s, with each request anew',
    async (allowedOrigins) => {
      const server = await startServer({ cors: { allowedOrigins } });
      for (const origin of [app, app, 'https://sub.app.example', app]) {
        expect(await isAllowed(server, origin)).toBe(true);
      }
      expect(await isAllowed(server, `${app}.evil.example`)).toBe(false);
    },
  );

  it('field 28: by a pattern, which is given nothing endless to try', async () => {
    const server = await startServer({
      cors: { allowedOrigins: /^https:.*\.app\.example.*x$/ },
      serverOptions: { maxHeaderSize: 2 * 1024 * 1024 },
    });
    const began = performance.now();
    expect(await isAllowed(server, `https:${'.app.example'.repeat(70_000)}`)).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('field 28: by a function, now or later', async () => {
    const asked: string[] = [];
    const now = (origin: string): boolean => {
      asked.push(origin);
      return origin.endsWith('.example');
    };
    const later = (origin: string): Promise<boolean> => Promise.resolve(now(origin));
    for (const allowedOrigins of [now, later]) {
      const server = await startServer({ cors: { allowedOrigins } });
      expect(await isAllowed(server, app)).toBe(true);
      expect(await isAllowed(server, 'https://app.test')).toBe(false);
    }
    expect(asked).toEqual([app, 'https://app.test', app, 'https://app.test']);
  });

  it('field 28: a function that fails is a 500 in the log, and nobody is let in', async () => {
    const failure = new Error('the list of tenants is not there');
    const fails: Required<CorsOptions>['allowedOrigins'][] = [
      () => {
        throw failure;
      },
      () => Promise.reject(failure),
    ];
    for (const allowedOrigins of fails) {
      const server = await startServer({ cors: { allowedOrigins } });
      for (const response of [
        await post(server, { ...lengthHeader(5), Origin: app }),
        await preflight(server, app),
      ]) {
        expect(response.status).toBe(500);
        expect(response.text).not.toContain('tenants');
        expect(corsHeaders(response)).toEqual([]);
        expect(values(response, 'vary')).toContain('Origin');
      }
      const logged = server.log.filter(({ event }) => event === 'InternalServerError');
      expect(logged.map(({ fields }) => fields['error'])).toEqual([
        expect.objectContaining({ cause: failure }),
        expect.objectContaining({ cause: failure }),
      ]);
      expect((await post(server, lengthHeader(5))).status).toBe(201);
      expect(await server.files()).toHaveLength(2);
    }
  });
});

describe('what a page may do', () => {
  it('field 47: credentials, for the origins that are named, and never for *', async () => {
    const server = await startServer({ cors: { allowedOrigins: [app], allowCredentials: true } });
    const path = await create(server, 5);
    for (const response of [
      await preflight(server, app),
      await head(server, path, { Origin: app }),
      await head(server, '/files/unknown', { Origin: app }),
    ]) {
      expect(response.header('access-control-allow-origin')).toBe(app);
      expect(response.header('access-control-allow-credentials')).toBe('true');
    }
    const refused = await head(server, path, { Origin: evil });
    expect(refused.header('access-control-allow-credentials')).toBeUndefined();
  });

  it('field 28: more methods and headers than ours', async () => {
    const server = await startServer({
      cors: {
        allowMethods: ['PUT', 'GET'],
        allowHeaders: ['X-Tenant'],
        exposeHeaders: ['X-Served-By'],
        maxAgeSeconds: 60,
      },
    });
    const response = await preflight(server, app);
    const methods = values(response, 'access-control-allow-methods');
    expect(methods.toSorted()).toEqual(
      ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'].toSorted(),
    );
    expect(values(response, 'access-control-allow-headers')).toEqual(
      expect.arrayContaining(['X-Tenant', 'Upload-Checksum', 'Tus-Resumable']),
    );
    expect(response.header('access-control-max-age')).toBe('60');
    const actual = await head(server, '/files/unknown', { Origin: app });
    expect(values(actual, 'access-control-expose-headers')).toEqual(
      expect.arrayContaining(['X-Served-By', 'Upload-Offset']),
    );
  });

  it('field 28: a server in a private network, only where that is allowed', async () => {
    const asks = { 'Access-Control-Request-Private-Network': 'true' };
    const allow = 'access-control-allow-private-network';
    const open = await startServer({ cors: { allowPrivateNetwork: true } });
    const response = await preflight(open, app, asks);
    expect(response.header(allow)).toBe('true');
    expect(values(response, 'vary')).toContain('Access-Control-Request-Private-Network');
    expect((await preflight(open, app)).header(allow)).toBeUndefined();
    const closed = await startServer();
    expect((await preflight(closed, app, asks)).header(allow)).toBeUndefined();
    const forOne = await startServer({
      cors: { allowPrivateNetwork: true, allowedOrigins: [app] },
    });
    expect((await preflight(forOne, evil, asks)).header(allow)).toBeUndefined();
  });

  it('field 47: ranges and conditions, and it sees what they come to', async () => {
    const server = await startServer();
    await writeStored(server.directory, 'known', 'hello');
    const path = '/files/known';
    const allowed = values(await preflight(server, app), 'access-control-allow-headers');
    const needed = ['Range', 'If-Range', 'If-Match', 'If-None-Match'];
    expect(allowed).toEqual(expect.arrayContaining(needed));
    for (const [status, headers] of [
      [200, {}],
      [206, { Range: 'bytes=0-1' }],
      [304, { 'If-None-Match': '*' }],
      [412, { 'If-Match': '"x"' }],
      [416, { Range: 'bytes=9-' }],
    ] as const) {
      const response = await request(server, 'GET', path, { headers: { ...headers, Origin: app } });
      expect(response.status).toBe(status);
      expect(response.header('access-control-allow-origin')).toBe(app);
      expect(values(response, 'vary')).toContain('Origin');
      expect(values(response, 'access-control-expose-headers')).toEqual(
        expect.arrayContaining([
          'ETag',
          'Accept-Ranges',
          'Content-Range',
          'Content-Disposition',
          'Retry-After',
        ]),
      );
    }
  });

  it('field 47: an OPTIONS that is no preflight shows what the server can do', async () => {
    const server = await startServer();
    const response = await request(server, 'OPTIONS', basePath, { headers: { Origin: app } });
    const exposed = values(response, 'access-control-expose-headers');
    expect(exposed).toEqual(expect.arrayContaining(['Tus-Version', 'Tus-Extension']));
  });
});
