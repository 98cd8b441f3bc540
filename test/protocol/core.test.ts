import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hooks, TusError } from 'tuskd';
import { describe, expect, inject, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import { writeStored } from './stored.js';
import { basePath, chunkType, create, head, offsetOf, patch, post, request } from './tus.js';

const allExtensions = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'checksum',
  'checksum-trailer',
  'expiration',
  'termination',
  'concatenation',
  'concatenation-unfinished',
] as const;
type Extension = (typeof allExtensions)[number];

const badNumbers = ['-1', 'abc', '1.5', '+1', '1e3', '0x1', '', '9007199254740992'];

describe('core: headers', () => {
  it('T-001: HEAD, PATCH and OPTIONS work with every extension off', async () => {
    const everything = await startServer();
    const path = await create(everything, 5);
    const server = await startServer({
      directory: everything.directory,
      disableExtensions: allExtensions,
    });
    expect((await head(server, path)).status).toBe(200);
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
    expect((await request(server, 'OPTIONS', basePath)).status).toBe(200);
    expect((await request(server, 'OPTIONS', path)).status).toBe(200);
  });

  it.each(badNumbers)('T-002: Upload-Offset "%s" is 400', async (offset) => {
    const server = await startServer();
    const path = await create(server, 5);
    const response = await patch(server, path, 0, 'hello', { 'Upload-Offset': offset });
    expect(response.status).toBe(400);
    expect(response.text).toMatch(/^ERR_INVALID_OFFSET: .*\n$/);
    expect(await offsetOf(server, path)).toBe(0);
  });

  it('T-002: Upload-Offset that is missing or there twice is 400', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const type: [string, string] = ['Content-Type', 'application/offset+octet-stream'];
    for (const headers of [[type], [type, ['Upload-Offset', '0'], ['Upload-Offset', '0']]] as const)
      expect((await request(server, 'PATCH', path, { headers, body: 'hello' })).status).toBe(400);
    expect(await offsetOf(server, path)).toBe(0);
  });

  it.each(badNumbers)('T-003: Upload-Length "%s" is 400 and makes nothing', async (length) => {
    const server = await startServer();
    const response = await post(server, { 'Upload-Length': length });
    expect(response.status).toBe(400);
    expect(response.text).toMatch(/^ERR_INVALID_UPLOAD_LENGTH: /);
    expect(await server.files()).toEqual([]);
  });

  it('T-002 T-003: numbers over 2^32 are exact up to 2^53 - 1', async () => {
    const server = await startServer();
    const path = await create(server, Number.MAX_SAFE_INTEGER);
    expect((await head(server, path)).header('upload-length')).toBe('9007199254740991');
  });

  it('T-004 T-005: Tus-Version lists the versions, best first', async () => {
    const server = await startServer();
    expect((await request(server, 'OPTIONS', basePath)).header('tus-version')).toBe('1.0.0');
  });

  it('T-006 T-008: every response says Tus-Resumable: 1.0.0, errors too', async () => {
    const server = await startServer({ maxSize: 100 });
    const path = await create(server, 5);
    await writeFile(join(server.directory, 'torn'), '');
    await writeFile(join(server.directory, 'torn.info'), '{"ID":');
    await writeStored(server.directory, 'expired', '', { Tuskd: { expiresAt: 1 } });
    const wrongType = { 'Upload-Offset': '0', 'Content-Type': 'text/plain' };
    const responses = [
      [200, await head(server, path)],
      [201, await post(server, { 'Upload-Length': '5' })],
      [204, await patch(server, path, 0, 'he')],
      [200, await request(server, 'GET', path)],
      [400, await post(server, {})],
      [404, await head(server, '/files/unknown')],
      [405, await request(server, 'PUT', path)],
      [409, await patch(server, path, 4, 'o')],
      [410, await head(server, '/files/expired')],
      [412, await head(server, path, { 'Tus-Resumable': '2.0.0' })],
      [413, await post(server, { 'Upload-Length': '101' })],
      [415, await patch(server, path, 2, 'llo', wrongType)],
      [500, await request(server, 'GET', '/files/torn')],
    ] as const;
    for (const [status, response] of responses) {
      expect(response.status).toBe(status);
      expect(response.header('tus-resumable')).toBe('1.0.0');
      expect(response.header('x-content-type-options')).toBe('nosniff');
    }
  });

  it('T-006: so does one that says no for other reasons: no access, no lock, no upload, no time', async () => {
    const server = await startServer({
      acquireLockTimeoutMs: 20,
      hooks: refusing('/files/forbidden'),
      locker: neverFree('held'),
    });
    await writeStored(server.directory, 'held', '');
    const path = await create(server, 5);
    const answers = [
      await head(server, '/files/forbidden'),
      await patch(server, '/files/held', 0, 'hello'),
      await request(server, 'GET', '/elsewhere'),
    ];
    await server.handler.close();
    answers.push(await patch(server, path, 0, 'hello'));
    expect(answers.map(({ status }) => status)).toEqual([403, 423, 404, 503]);
    expect(answers.map((answer) => answer.header('tus-resumable'))).toEqual(Array(4).fill('1.0.0'));
  });

  it('T-007 T-009 T-010 D-1 field 42: another version, or none, is 412 with Tus-Version', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    for (const method of ['POST', 'PATCH', 'HEAD', 'GET', 'DELETE']) {
      const target = method === 'POST' ? basePath : path;
      for (const version of ['0.2.2', '1.0', '1.0.0, 1.0.0', undefined]) {
        if (version === undefined && (method === 'HEAD' || method === 'GET')) continue;
        const response = await request(server, method, target, {
          version: false,
          headers: {
            ...(version !== undefined && { 'Tus-Resumable': version }),
            ...chunkType,
            'Upload-Length': '5',
            'Upload-Offset': '0',
          },
        });
        expect([method, version, response.status]).toEqual([method, version, 412]);
        expect(response.header('tus-version')).toBe('1.0.0');
      }
    }
  });

  it('D-1 field 42: HEAD and GET without a version are served', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    await patch(server, path, 0, 'hello');
    for (const method of ['HEAD', 'GET']) {
      expect((await request(server, method, path, { version: false })).status).toBe(200);
    }
  });

  it('T-011: after 412 there is no new upload, no byte, and all that was there', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const before = await server.files();
    const headers = { 'Tus-Resumable': '0.2.2', 'Upload-Length': '5', 'Upload-Offset': '0' };
    const options = { version: false, body: 'hello', headers: { ...headers, ...chunkType } };
    for (const [method, target] of [
      ['POST', basePath],
      ['PATCH', path],
      ['DELETE', path],
    ] as const) {
      expect((await request(server, method, target, options)).status).toBe(412);
    }
    expect(await server.files()).toEqual(before);
    expect(await offsetOf(server, path)).toBe(0);
  });

  it('T-011: after 412 nothing has happened: no upload, no byte, no hook, no 100', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    const before = await server.files();
    hooks.calls.length = 0;
    const wrong = { 'Tus-Resumable': '0.2.2', Expect: '100-continue', ...chunkType };
    const options = { version: false, body: 'hello' };
    const responses = [
      await post(server, { ...wrong, 'Upload-Length': '5' }, options),
      await request(server, 'PATCH', path, {
        ...options,
        headers: { ...wrong, 'Upload-Offset': '0' },
      }),
      await request(server, 'DELETE', path, { ...options, headers: wrong }),
    ];
    expect(responses.map(({ status, informational }) => [status, informational])).toEqual([
      [412, []],
      [412, []],
      [412, []],
    ]);
    expect(hooks.calls).toEqual([]);
    expect(await server.files()).toEqual(before);
    expect(await offsetOf(server, path)).toBe(0);
  });

  it('T-012 T-045 T-046 T-047 T-075 T-111: Tus-Extension lists exactly what is on', async () => {
    const list = async (disableExtensions: readonly Extension[]) => {
      const server = await startServer({ disableExtensions, expireAfterMs: 3_600_000 });
      return (await request(server, 'OPTIONS', basePath)).header('tus-extension')?.split(',');
    };
    // A web Request tells nothing of its trailers.
    const hasTrailers = ['node', 'http2'].includes(inject('runtime'));
    const without = (...names: Extension[]) =>
      allExtensions
        .filter((name) => hasTrailers || name !== 'checksum-trailer')
        .filter((name) => !names.includes(name));
    expect(await list([])).toEqual(without());
    for (const off of [
      'creation-with-upload',
      'creation-defer-length',
      'checksum-trailer',
      'expiration',
      'termination',
      'concatenation-unfinished',
    ] as const) {
      expect(await list([off])).toEqual(without(off));
    }
    expect(await list(['checksum'])).toEqual(without('checksum', 'checksum-trailer'));
    expect(await list(['creation'])).toEqual(
      without(...allExtensions.filter((name) => /^(creation|concatenation)/.test(name))),
    );
    expect(await list(['concatenation'])).toEqual(
      without('concatenation', 'concatenation-unfinished'),
    );
  });

  it('T-013: with no extension on, Tus-Extension is left out', async () => {
    const server = await startServer({ disableExtensions: allExtensions });
    expect((await request(server, 'OPTIONS', basePath)).header('tus-extension')).toBeUndefined();
  });

  it('T-014 T-015 T-042: Tus-Max-Size is the limit, and left out without one', async () => {
    const limited = await startServer({ maxSize: 5_000_000_000 });
    expect((await request(limited, 'OPTIONS', basePath)).header('tus-max-size')).toBe('5000000000');
    const unlimited = await startServer();
    expect((await request(unlimited, 'OPTIONS', basePath)).header('tus-max-size')).toBeUndefined();
  });
});

describe('core: method override', () => {
  it('T-016 D-6 field 43: POST stands for PATCH, HEAD and DELETE', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const override = (method: string, headers: Record<string, string> = {}, body?: string) =>
      request(server, 'POST', path, {
        headers: { 'X-HTTP-Method-Override': method, ...headers },
        ...(body !== undefined && { body }),
      });
    const appended = await override('PATCH', { ...chunkType, 'Upload-Offset': '0' }, 'hello');
    expect([appended.status, appended.header('upload-offset')]).toEqual([204, '5']);
    const inspected = await override('HEAD');
    expect([inspected.status, inspected.header('upload-offset')]).toEqual([200, '5']);
    expect(inspected.text).toBe('');
    expect((await override('DELETE')).status).toBe(204);
    expect(await server.files()).toEqual([]);
  });

  it('T-017 D-6: the actual method does not matter, whatever it is', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const override = (actual: string, method: string, target = path, body?: string) =>
      request(server, actual, target, {
        headers: { 'X-HTTP-Method-Override': method, ...chunkType, 'Upload-Offset': '0' },
        ...(body !== undefined && { body }),
      });
    expect((await override('PUT', 'HEAD')).header('upload-offset')).toBe('0');
    expect((await override('GET', 'PATCH', path, 'hello')).header('upload-offset')).toBe('5');
    expect((await override('POST', 'OPTIONS', basePath)).status).toBe(200);
    expect((await override('OPTIONS', 'DELETE')).status).toBe(204);
  });

  it('T-017 D-6: an override that is no method of ours is 405 and never the actual one', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    for (const method of ['FOO', 'patch', 'PATCH, DELETE', '']) {
      const headers = { 'X-HTTP-Method-Override': method, 'Upload-Length': '5' };
      expect((await request(server, 'DELETE', path, { headers })).status).toBe(405);
      expect((await post(server, headers)).status).toBe(405);
    }
    expect(await server.files()).toHaveLength(2);
  });

  it('D-6: the access check sees what the override means', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    hooks.calls.length = 0;
    await request(server, 'GET', path, { headers: { 'X-HTTP-Method-Override': 'DELETE' } });
    expect(hooks.calls[0]).toBe('access terminate');
  });

  it('T-018: a preflight allows the override header', async () => {
    const server = await startServer();
    const response = await request(server, 'OPTIONS', basePath, {
      headers: { Origin: 'https://app.example' },
    });
    expect(response.header('access-control-allow-headers')).toContain('X-HTTP-Method-Override');
  });
});

/** A locker that never gives the lock of one upload. */
function neverFree(held: string) {
  return {
    capabilities: { scope: 'process' },
    lock: (id: string, { signal }: { signal: AbortSignal }) =>
      id === held
        ? new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          })
        : Promise.resolve({ lost: new AbortController().signal, unlock: async () => undefined }),
    settle: () => Promise.resolve(false),
    isLocked: async (id: string) => id === held,
  } as const;
}

function refusing(uri: string): Hooks {
  return {
    ...recordingHooks(),
    access: async (_verb, _ids, request) => {
      if (request.uri === uri) throw new TusError('ERR_ACCESS_DENIED');
    },
  };
}
