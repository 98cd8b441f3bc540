import { describe, expect, it } from 'vitest';
import { concat, final, idOf, part, partial } from './concat.js';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import type { ServerOptions } from './test-server.js';
import {
  basePath,
  chunkType,
  create,
  createdPath,
  download,
  head,
  offsetOf,
  patch,
  post,
  request,
} from './tus.js';

describe('concatenation', () => {
  it('T-115 T-124: it is announced, and can be switched off, wholly or for unfinished parts', async () => {
    const announced = async (
      ...disableExtensions: NonNullable<ServerOptions['disableExtensions']>
    ) =>
      (await request(await startServer({ disableExtensions }), 'OPTIONS', basePath))
        .header('tus-extension')
        ?.split(',')
        .filter((name) => name.startsWith('concatenation'));
    expect(await announced()).toEqual(['concatenation', 'concatenation-unfinished']);
    expect(await announced('concatenation-unfinished')).toEqual(['concatenation']);
    expect(await announced('concatenation')).toEqual([]);
    expect(await announced('creation')).toEqual([]);
  });

  it('T-115: where it is off, Upload-Concat is refused', async () => {
    const server = await startServer({ disableExtensions: ['concatenation'] });
    for (const value of ['partial', 'final;/files/a']) {
      const response = await post(server, { 'Upload-Length': '5', 'Upload-Concat': value });
      expect([response.status, response.text]).toEqual([
        400,
        'ERR_CONCATENATION_UNSUPPORTED: Upload-Concat header is not supported by server\n',
      ]);
    }
    expect(await server.files()).toEqual([]);
  });

  it('T-117 T-118 T-120 T-132: the bytes in the order of the list, and the sum of the lengths', async () => {
    const server = await startServer();
    const [hello, world] = [await part(server, 'hello'), await part(server, ' world')];
    for (const [parts, text] of [
      [[hello, world], 'hello world'],
      [[world, hello], ' worldhello'],
    ] as const) {
      const response = await concat(server, parts);
      expect([response.status, response.text]).toEqual([201, '']);
      expect(response.header('upload-offset')).toBeUndefined();
      const path = createdPath(response);
      const inspected = await head(server, path);
      expect(inspected.status).toBe(200);
      expect(inspected.header('upload-length')).toBe('11');
      expect(inspected.header('upload-offset')).toBe('11');
      expect((await download(server, path)).toString()).toBe(text);
    }
  });

  it('T-128 field 40: a part may be there several times, and in several uploads', async () => {
    const server = await startServer();
    const [a, b] = [await part(server, 'hello'), await part(server, ' world')];
    const path = await final(server, a, a, b);
    expect((await head(server, path)).header('upload-length')).toBe('16');
    expect((await download(server, path)).toString()).toBe('hellohello world');
    expect((await download(server, await final(server, a))).toString()).toBe('hello');
  });

  it('T-127: the parts stay as they are', async () => {
    const server = await startServer();
    const [a, b] = [await part(server, 'hello'), await part(server, ' world')];
    await final(server, a, b);
    expect([await offsetOf(server, a), await offsetOf(server, b)]).toEqual([5, 6]);
    expect((await download(server, b)).toString()).toBe(' world');
  });

  it('T-117: empty parts make an empty upload', async () => {
    const server = await startServer();
    const empty = createdPath(await post(server, { ...partial, 'Upload-Length': '0' }));
    const path = await final(server, empty, empty);
    const inspected = await head(server, path);
    expect([inspected.header('upload-length'), inspected.header('upload-offset')]).toEqual([
      '0',
      '0',
    ]);
    expect(
      (await download(server, await final(server, empty, await part(server, 'a')))).toString(),
    ).toBe('a');
  });

  it.each([
    ['final;', 'ERR_INVALID_CONCAT'],
    ['final; ', 'ERR_INVALID_CONCAT'],
    ['final', 'ERR_INVALID_CONCAT'],
    ['Final;PART', 'ERR_INVALID_CONCAT'],
    ['foo', 'ERR_INVALID_CONCAT'],
    ['Partial', 'ERR_INVALID_CONCAT'],
    ['', 'ERR_INVALID_CONCAT'],
    ['final;PART  PART', 'ERR_INVALID_CONCAT'],
    ['final;PART,PART', 'ERR_PARTIAL_UPLOAD_NOT_FOUND'],
    ['final;http://other.example/PART', 'ERR_INVALID_CONCAT'],
    ['final;http://other.examplePART', 'ERR_INVALID_CONCAT'],
    ['final;PART /other/a', 'ERR_INVALID_CONCAT'],
    ['final;PART /files/', 'ERR_INVALID_CONCAT'],
    ['final;PART /files/../../etc/passwd', 'ERR_INVALID_CONCAT'],
    ['final;PART /files/..%2f..%2fetc%2fpasswd', 'ERR_INVALID_CONCAT'],
    ['final;PART /files/unknown', 'ERR_PARTIAL_UPLOAD_NOT_FOUND'],
    ['final;PART /files/%75nknown', 'ERR_PARTIAL_UPLOAD_NOT_FOUND'],
    ['final;PART ORDINARY', 'ERR_NOT_PARTIAL'],
    ['final;FINAL PART', 'ERR_NOT_PARTIAL'],
    ['final;PART UNFINISHED', 'ERR_UPLOAD_NOT_FINISHED'],
    ['final;PART DEFERRED', 'ERR_UPLOAD_NOT_FINISHED'],
  ])('T-119 T-121 T-137 field 40: %j is %s, and nothing is made', async (value, code) => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks, disableExtensions: ['concatenation-unfinished'] });
    const paths = {
      PART: await part(server, 'hello'),
      ORDINARY: await create(server, 5),
      UNFINISHED: await create(server, 5, partial),
      DEFERRED: await create(server, 'deferred', partial),
    };
    const FINAL = await final(server, paths.PART);
    const header = Object.entries({ ...paths, FINAL }).reduce(
      (text, [name, path]) => text.replaceAll(name, path),
      value,
    );
    hooks.calls.length = 0;
    const length = header.startsWith('final') ? {} : { 'Upload-Length': '5' };
    const response = await post(server, { ...length, 'Upload-Concat': header });
    expect([response.status, response.text.split(':')[0]]).toEqual([400, code]);
    expect(hooks.calls.filter((call) => call !== 'access concatenate')).toEqual([]);
  });

  it('field 40: says which part it is, and what is wrong with it', async () => {
    const server = await startServer({ disableExtensions: ['concatenation-unfinished'] });
    const good = await part(server, 'hello');
    const ordinary = await create(server, 5);
    const unfinished = await create(server, 5, partial);
    const made = await final(server, good);
    const why = async (path: string): Promise<string> =>
      (await concat(server, [good, path])).text.trimEnd();
    expect(await why('/files/unknown')).toBe(
      'ERR_PARTIAL_UPLOAD_NOT_FOUND: one of the partial uploads does not exist: unknown',
    );
    expect(await why(ordinary)).toBe(
      `ERR_NOT_PARTIAL: one of the uploads to concatenate is no partial upload: ${idOf(ordinary)} was created without Upload-Concat`,
    );
    expect(await why(made)).toBe(
      `ERR_NOT_PARTIAL: one of the uploads to concatenate is no partial upload: ${idOf(made)} is a final upload`,
    );
    expect(await why(unfinished)).toBe(
      `ERR_UPLOAD_NOT_FINISHED: one of the partial uploads is not finished: ${idOf(unfinished)}`,
    );
    expect(await why('http://other.example/files/a')).toBe(
      'ERR_INVALID_CONCAT: invalid Upload-Concat header: part 2 is on another server',
    );
  });

  it('T-117: over the limit it is 413, before anything is made', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ maxSize: 10, hooks });
    const [a, b] = [await part(server, 'hello'), await part(server, ' world')];
    hooks.calls.length = 0;
    for (const parts of [
      [a, b],
      [a, a, a],
    ]) {
      const response = await concat(server, parts);
      expect([response.status, response.text.split(':')[0]]).toEqual([
        413,
        'ERR_MAX_SIZE_EXCEEDED',
      ]);
      expect(response.text).toMatch(/have 1[15] bytes together, an upload may have 10 at most/);
    }
    expect(new Set(hooks.calls)).toEqual(new Set(['access concatenate']));
    expect((await concat(server, [a, a])).status).toBe(201);
  });

  it('T-122: an Upload-Length beside it is 400', async () => {
    const server = await startServer();
    const a = await part(server, 'hello');
    for (const headers of [{ 'Upload-Length': '5' }, { 'Upload-Defer-Length': '1' }]) {
      const response = await concat(server, [a], headers);
      expect([response.status, response.text.split(':')[0]]).toEqual([
        400,
        'ERR_INVALID_UPLOAD_LENGTH',
      ]);
    }
  });

  it('field 40: a body beside it is 403; one that is no upload data is nothing', async () => {
    const server = await startServer();
    const a = await part(server, 'hello');
    const response = await concat(server, [a], chunkType, { body: 'x' });
    expect([response.status, response.text.split(':')[0]]).toEqual([403, 'ERR_MODIFY_FINAL']);
    const json = { 'Content-Type': 'application/json' };
    const path = createdPath(await concat(server, [a], json, { body: '{}' }));
    expect((await download(server, path)).toString()).toBe('hello');
  });

  it("T-125 T-126: metadata is the final upload's own", async () => {
    const server = await startServer();
    const headers = { ...partial, ...chunkType, 'Upload-Length': '5', 'Upload-Metadata': 'a YQ==' };
    const a = createdPath(await post(server, headers, { body: 'hello' }));
    expect((await head(server, await final(server, a))).header('upload-metadata')).toBeUndefined();
    const own = { 'Upload-Metadata': 'b Yg==,c' };
    const path = createdPath(await concat(server, [a], own));
    expect((await head(server, path)).header('upload-metadata')).toBe('b Yg==,c');
  });

  it('T-129 T-130 field 38: PATCH of a final upload is 403, and changes nothing', async () => {
    const server = await startServer();
    const [a, unfinished] = [await part(server, 'hello'), await create(server, 5, partial)];
    for (const path of [await final(server, a), await final(server, a, unfinished)]) {
      for (const [offset, body] of [
        [0, 'world'],
        [5, ''],
        [5, 'world'],
        [9, 'x'],
      ] as const) {
        const response = await patch(server, path, offset, body);
        expect([response.status, response.text.split(':')[0]]).toEqual([403, 'ERR_MODIFY_FINAL']);
      }
    }
    expect((await download(server, a)).toString()).toBe('hello');
    expect([await offsetOf(server, a), await offsetOf(server, unfinished)]).toEqual([5, 0]);
  });

  it('T-133 T-135 T-136: HEAD of a part tells its offset and that it is one', async () => {
    const server = await startServer();
    const path = await create(server, 5, partial);
    for (const [offset, body] of [
      [0, 'hel'],
      [3, 'lo'],
    ] as const) {
      const before = await head(server, path);
      expect(before.header('upload-concat')).toBe('partial');
      expect(before.header('upload-offset')).toBe(String(offset));
      await patch(server, path, offset, body);
    }
    expect((await head(server, path)).header('upload-concat')).toBe('partial');
    expect((await head(server, await create(server, 5))).header('upload-concat')).toBeUndefined();
  });

  it('T-135 T-138 field 40: parts in any spelling of their URL, and HEAD tells it as it came', async () => {
    const server = await startServer();
    const a = await part(server, 'hello');
    const id = idOf(a);
    const encoded = id.replaceAll(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`);
    for (const url of [
      a,
      id,
      `./${id}`,
      `../files/${id}`,
      `/files/x/../${id}`,
      `/files/${encoded}`,
      `${a}?token=x`,
      `http://uploads.example${a}`,
      `https://UPLOADS.example:443${a}`,
      `//uploads.example/files/${encoded}`,
    ]) {
      const path = await final(server, url, url);
      expect((await head(server, path)).header('upload-concat')).toBe(`final;${url} ${url}`);
      expect((await download(server, path)).toString()).toBe('hellohello');
    }
  });

  it('T-138: URLs as Location gives them, behind a proxy or with a URL as base path too', async () => {
    const forwarded = { 'X-Forwarded-Host': 'cdn.example:8443', 'X-Forwarded-Proto': 'https' };
    const cases = [
      [{ behindProxy: true }, 'https://cdn.example:8443/files/'],
      [{ basePath: 'https://cdn.example/up/' }, 'https://cdn.example/up/'],
      [{ basePath: '/' }, 'http://uploads.example/'],
      [{ basePath: '/a/b' }, 'http://uploads.example/a/b/'],
    ] as const;
    for (const [options, prefix] of cases) {
      const server = await startServer(options);
      const target = new URL(prefix).pathname;
      const proxyHeaders = 'behindProxy' in options ? forwarded : {};
      const headers = { ...partial, ...chunkType, ...proxyHeaders, 'Upload-Length': '5' };
      const made = await request(server, 'POST', target, { headers, body: 'hello' });
      const location = made.header('location') ?? '';
      expect(location.slice(0, prefix.length)).toBe(prefix);
      const concatenated = await request(server, 'POST', target, {
        headers: {
          ...proxyHeaders,
          'Upload-Concat': `final;${location} ${new URL(location).pathname}`,
        },
      });
      expect(concatenated.status).toBe(201);
      const path = new URL(concatenated.header('location') ?? '').pathname;
      expect((await download(server, path)).toString()).toBe('hellohello');
    }
    // Without the proxy, anybody could have sent the header.
    const server = await startServer();
    const a = await part(server, 'hello');
    const response = await concat(server, [`https://cdn.example:8443${a}`], forwarded);
    expect(response.text).toContain('another server');
  });

  it('T-112 T-113: a final upload is removed like any other', async () => {
    const server = await startServer();
    const a = await part(server, 'hello');
    for (const path of [
      await final(server, a),
      await final(server, a, await create(server, 5, partial)),
    ]) {
      expect((await request(server, 'DELETE', path)).status).toBe(204);
      expect((await head(server, path)).status).toBe(404);
    }
    expect(await offsetOf(server, a)).toBe(5);
  });

  it('field 40: many parts, in a long header, are put together in order; too many are refused', async () => {
    const server = await startServer({ serverOptions: { maxHeaderSize: 1024 * 1024 } });
    const parts: string[] = [];
    for (let i = 0; i < 50; i += 1) parts.push(await part(server, `${i},`));
    const urls = Array.from({ length: 10_001 }, (_, i) => parts[i % 50] ?? '');
    const path = await final(server, ...urls.slice(0, 1000));
    const expected = Array.from({ length: 1000 }, (_, i) => `${i % 50},`).join('');
    expect((await download(server, path)).toString()).toBe(expected);
    const refused = await concat(server, urls);
    expect([refused.status, refused.text]).toEqual([
      400,
      'ERR_INVALID_CONCAT: invalid Upload-Concat header: more than 10000 parts\n',
    ]);
  });
});
