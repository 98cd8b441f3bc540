import { describe, expect, it } from 'vitest';
import { concat, final, idOf, part, partial } from './concat.js';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import { basePath, create, createdPath, download, head, patch } from './tus.js';

describe('hooks of a concatenation', () => {
  it('T-116 field 57: the end of a part is no end; that of the final upload is one, once', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const a = await create(server, 5, partial);
    await patch(server, a, 0, 'hello');
    const b = await part(server, ' world');
    await head(server, b);
    await patch(server, b, 6, '');
    expect(hooks.calls.filter((call) => call.endsWith('-finish'))).toEqual([]);
    // So no mark of a step has to be written, and rewritten at the end.
    const created = hooks.published.filter(({ type }) => type === 'post-create');
    expect(created.map(({ upload }) => upload.finish)).toEqual([undefined, undefined]);
    expect(hooks.calls.filter((call) => call === 'post-receive')).not.toEqual([]);
    hooks.calls.length = 0;
    const path = await final(server, a, b);
    expect(hooks.calls).toEqual([
      'access concatenate',
      'pre-create',
      'post-create',
      'pre-finish',
      'post-finish',
    ]);
    await Promise.all([head(server, path), head(server, path), patch(server, path, 11, '')]);
    expect(hooks.calls.filter((call) => call.endsWith('-finish'))).toHaveLength(2);
    const { upload, request: seen } = hooks.published.at(-1) ?? {};
    expect(upload).toMatchObject({
      isFinal: true,
      isPartial: false,
      size: 11,
      offset: 11,
      parts: [idOf(a), idOf(b)],
    });
    expect(seen).toMatchObject({ method: 'POST', uri: basePath });
  });

  it('without a finish hook, listeners hear of the end of an empty one as well', async () => {
    const server = await startServer();
    const empty = await part(server, '');
    let finished = 0;
    server.handler.on('upload-finished', () => (finished += 1));
    await final(server, empty, empty);
    expect(finished).toBe(1);
  });

  it('access is asked for all parts at once, each once, before anything is looked at', async () => {
    const asked: unknown[] = [];
    const hooks = recordingHooks();
    const server = await startServer({
      hooks: { ...hooks, access: async (verb, ids) => void asked.push([verb, ids]) },
    });
    await concat(server, ['/files/b', '/files/a', '/files/b']);
    expect(asked).toEqual([['concatenate', ['b', 'a']]]);
  });

  it('pre-create sees what is to be made, may refuse it, and may change it', async () => {
    let refuses = true;
    const seen: unknown[] = [];
    const hooks = recordingHooks({
      'pre-create': async ({ upload }) => {
        if (!upload.isFinal) return {};
        seen.push(upload);
        if (refuses) return { rejectUpload: true, httpResponse: { status: 422 } };
        return {
          changes: { id: 'whole', metadata: { a: 'b' } },
          httpResponse: { headers: { 'X-A': 'b' } },
        };
      },
      'pre-finish': async () => ({ httpResponse: { headers: { 'X-B': 'c' } } }),
    });
    const server = await startServer({ hooks });
    const a = await part(server, 'hello');
    expect((await concat(server, [a])).status).toBe(422);
    expect(seen).toEqual([
      expect.objectContaining({
        isFinal: true,
        size: 5,
        parts: [idOf(a)],
        rawConcat: `final;${a}`,
      }),
    ]);
    refuses = false;
    const response = await concat(server, [a]);
    expect([response.status, response.header('x-a'), response.header('x-b')]).toEqual([
      201,
      'b',
      'c',
    ]);
    expect(createdPath(response)).toBe('/files/whole');
    expect((await head(server, '/files/whole')).header('upload-metadata')).toBe('a Yg==');
  });

  it('a finish hook that fails leaves nothing, and the client may begin anew', async () => {
    let failures = 1;
    const hooks = recordingHooks({
      'pre-finish': async () => {
        if (failures-- > 0) throw new Error('the hook is down');
        return {};
      },
    });
    const server = await startServer({ hooks });
    const a = await part(server, 'hello');
    const response = await concat(server, [a]);
    expect([response.status, response.header('retry-after')]).toEqual([503, '5']);
    expect(response.text).toMatch(/^ERR_FINISH_FAILED: /);
    expect(hooks.calls.at(-1)).toBe('post-terminate');
    const id = hooks.published.at(-1)?.upload.id ?? '';
    expect((await head(server, `/files/${id}`)).status).toBe(404);
    expect((await download(server, await final(server, a))).toString()).toBe('hello');
  });
});
