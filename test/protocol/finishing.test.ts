import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import { writeStored } from './stored.js';
import { chunkType, create, createdPath, head, patch, post } from './tus.js';

/** A pre-finish hook that fails the first `failures` times. */
function failing(failures: number) {
  let left = failures;
  return recordingHooks({
    'pre-finish': async () => {
      if (left-- > 0) throw new Error('the hook is down');
      return { httpResponse: { status: 200, headers: { 'X-Finished': 'yes' }, body: 'finished' } };
    },
  });
}

const finishCalls = ({ calls }: { readonly calls: readonly string[] }) =>
  calls.filter((call) => call.endsWith('-finish'));

describe('finishing', () => {
  it('D-20: a finish step that failed is 503, without an offset; HEAD runs it again', async () => {
    const hooks = failing(2);
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    const answers = [await patch(server, path, 0, 'hello'), await head(server, path)];
    for (const response of answers) {
      expect([response.status, response.header('retry-after')]).toEqual([503, '5']);
      expect(response.header('upload-offset')).toBeUndefined();
    }
    expect(answers[0]?.text).toMatch(/^ERR_FINISH_FAILED: /);
    expect(answers[0]?.text).not.toContain('down');
    const inspected = await head(server, path);
    expect([inspected.status, inspected.header('upload-offset')]).toEqual([200, '5']);
    expect(inspected.header('x-finished')).toBeUndefined();
    expect(finishCalls(hooks)).toEqual(['pre-finish', 'pre-finish', 'pre-finish', 'post-finish']);
    await head(server, path);
    await patch(server, path, 5, '');
    expect(finishCalls(hooks)).toHaveLength(4);
  });

  it('D-20: so does PATCH at the full offset, and its client gets the answer of the hook', async () => {
    const hooks = failing(2);
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    expect((await patch(server, path, 0, 'hello')).status).toBe(503);
    const again = await patch(server, path, 5, '');
    expect([again.status, again.header('upload-offset')]).toEqual([503, undefined]);
    const third = await patch(server, path, 5, '');
    expect([third.status, third.header('x-finished'), third.text]).toEqual([
      200,
      'yes',
      'finished',
    ]);
    expect(finishCalls(hooks)).toEqual(['pre-finish', 'pre-finish', 'pre-finish', 'post-finish']);
  });

  it('D-20: the same for an upload that is full when it is made', async () => {
    for (const [size, body] of [[0, ''] as const, [5, 'hello'] as const]) {
      const hooks = failing(1);
      const server = await startServer({ hooks });
      const headers = { ...chunkType, 'Upload-Length': String(size) };
      const response = await post(server, headers, { body });
      expect([response.status, response.header('retry-after')]).toEqual([503, '5']);
      const [id] = await server.files();
      expect((await head(server, `/files/${id}`)).header('upload-offset')).toBe(String(size));
      expect(finishCalls(hooks)).toEqual(['pre-finish', 'pre-finish', 'post-finish']);
    }
  });

  it('D-20: a step that failed is run again by the next process', async () => {
    const down = await startServer({ hooks: failing(1) });
    const path = await create(down, 5);
    expect((await patch(down, path, 0, 'hello')).status).toBe(503);
    const hooks = failing(0);
    const server = await startServer({ hooks, directory: down.directory });
    expect((await head(server, path)).status).toBe(200);
    expect(finishCalls(hooks)).toEqual(['pre-finish', 'post-finish']);
  });

  it('D-20: many at once run a failed step one after the other, and once when it succeeds', async () => {
    const hooks = failing(1);
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    await patch(server, path, 0, 'hello');
    const answers = await Promise.all(Array.from({ length: 20 }, () => head(server, path)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(finishCalls(hooks)).toEqual(['pre-finish', 'pre-finish', 'post-finish']);
  });

  it('D-20: to answer with an error status is to have succeeded', async () => {
    const hooks = recordingHooks({ 'pre-finish': async () => ({ httpResponse: { status: 422 } }) });
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    expect((await patch(server, path, 0, 'hello')).status).toBe(422);
    expect((await head(server, path)).status).toBe(200);
    expect(finishCalls(hooks)).toEqual(['pre-finish', 'post-finish']);
  });

  it('D-20: a full upload without a marker, as tusd leaves it, is finished', async () => {
    const hooks = failing(1);
    const server = await startServer({ hooks });
    await writeStored(server.directory, 'old', 'hello');
    expect((await head(server, '/files/old')).status).toBe(200);
    expect((await patch(server, '/files/old', 5, '')).status).toBe(204);
    expect(hooks.calls.filter((call) => call.endsWith('-finish'))).toEqual([]);
  });

  it('D-20: without blocking finish hooks there is nothing to run again', async () => {
    const hooks = { ...recordingHooks(), blocking: new Set<never>() };
    const server = await startServer({ hooks });
    const path = await create(server, 5);
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
    await patch(server, path, 5, '');
    expect(finishCalls(hooks)).toEqual(['post-finish']);
  });

  it('field 57: an upload is finished once however it was filled', async () => {
    const hooks = recordingHooks();
    const server = await startServer({ hooks });
    const headers = { ...chunkType, 'Upload-Length': '5' };
    const path = createdPath(await post(server, headers, { body: 'hello' }));
    await Promise.all([patch(server, path, 5, ''), patch(server, path, 5, ''), head(server, path)]);
    expect(finishCalls(hooks)).toEqual(['pre-finish', 'post-finish']);
  });

  it('field 63: an answer of a hook that can have no body has none', async () => {
    for (const status of [204, 205, 304]) {
      const hooks = recordingHooks({
        'pre-finish': async () => ({ httpResponse: { status, body: 'no place for this' } }),
      });
      const server = await startServer({ hooks });
      const response = await patch(server, await create(server, 5), 0, 'hello');
      expect([response.status, response.text]).toEqual([status, '']);
    }
  });
});
