import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import { startServer, temporaryDirectory } from './server.js';
import { writeInfo, writeStored } from './stored.js';
import { basePath, create, createdPath, head, offsetOf, patch, post, request } from './tus.js';

/** Hooks that name uploads by their metadata. */
const named = () =>
  recordingHooks({
    'pre-create': async ({ upload }) => ({ changes: { id: upload.metadata['id'] ?? '' } }),
  });

const id = (name: string) => ({
  'Upload-Length': '5',
  'Upload-Metadata': `id ${Buffer.from(name).toString('base64')}`,
});

describe('symbolic links', () => {
  it('the upload directory may be one', async () => {
    const target = await temporaryDirectory();
    const directory = join(await temporaryDirectory(), 'link');
    await symlink(target, directory);
    const server = await startServer({ directory });
    const path = await create(server, 5);
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
    expect(await readFile(join(target, path.slice(basePath.length)), 'utf8')).toBe('hello');
  });

  it('an info file or data that is one is not followed', async () => {
    const server = await startServer();
    const outside = await temporaryDirectory();
    await writeStored(outside, 'target', 'hel');
    await symlink(join(outside, 'target'), join(server.directory, 'data'));
    await writeInfo(server.directory, 'data');
    await symlink(join(outside, 'target.info'), join(server.directory, 'info.info'));
    await writeFile(join(server.directory, 'info'), 'hel');
    for (const path of ['/files/data', '/files/info']) {
      expect((await head(server, path)).status).toBe(404);
      expect((await request(server, 'GET', path)).status).toBe(404);
      expect((await patch(server, path, 3, 'lo')).status).toBe(404);
      expect((await request(server, 'DELETE', path)).status).toBe(404);
    }
    expect(await readdir(outside)).toEqual(['target', 'target.info']);
    expect(await readFile(join(outside, 'target'), 'utf8')).toBe('hel');
  });

  it('not even where the record spells the path of the data in another way', async () => {
    const server = await startServer();
    const outside = await temporaryDirectory();
    await writeFile(join(outside, 'target'), 'hel');
    await symlink(join(outside, 'target'), join(server.directory, 'data'));
    const Path = `${server.directory}/../${server.directory.split('/').at(-1)}/./data`;
    await writeInfo(server.directory, 'data', { Storage: { Path } });
    expect((await request(server, 'GET', '/files/data')).status).toBe(404);
    expect((await patch(server, '/files/data', 3, 'lo')).status).toBe(404);
    expect(await readFile(join(outside, 'target'), 'utf8')).toBe('hel');
  });

  it('a folder below the upload directory that is one is not entered', async () => {
    const server = await startServer({ hooks: named() });
    const outside = await temporaryDirectory();
    await writeStored(outside, 'there', 'hel');
    await symlink(outside, join(server.directory, 'folder'));
    expect((await head(server, '/files/folder/there')).status).toBe(404);
    expect((await post(server, id('folder/new'))).status).toBe(400);
    expect((await post(server, id('folder/deeper/new'))).status).toBe(400);
    expect((await request(server, 'DELETE', '/files/folder/there')).status).toBe(404);
    expect(await readdir(outside)).toEqual(['there', 'there.info']);
  });
});

describe('what tusd wrote', () => {
  it('Storage.Path is trusted, absolute or relative', async () => {
    const server = await startServer();
    const elsewhere = await temporaryDirectory();
    await writeFile(join(elsewhere, 'bytes'), 'hel');
    await writeInfo(server.directory, 'absolute', { Storage: { Path: join(elsewhere, 'bytes') } });
    const before = process.cwd();
    const relative = join('test', '..', 'vitest.config.ts');
    await writeInfo(server.directory, 'relative', { Size: 100_000, Storage: { Path: relative } });
    expect(await offsetOf(server, '/files/absolute')).toBe(3);
    expect((await patch(server, '/files/absolute', 3, 'lo')).status).toBe(204);
    expect(await readFile(join(elsewhere, 'bytes'), 'utf8')).toBe('hello');
    expect((await request(server, 'GET', '/files/relative')).text).toContain('defineConfig');
    expect(process.cwd()).toBe(before);
    expect((await request(server, 'DELETE', '/files/absolute')).status).toBe(204);
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it('a path that was right before the directory was moved is not missed', async () => {
    const server = await startServer();
    const Path = '/gone/uploads/old';
    await writeStored(server.directory, 'old', 'hel', { Storage: { Type: 'filestore', Path } });
    expect((await patch(server, '/files/old', 3, 'lo')).status).toBe(204);
    expect((await request(server, 'GET', '/files/old')).text).toBe('hello');
  });

  it('uploads move with their directory', async () => {
    const first = await startServer();
    const path = await create(first, 5);
    await patch(first, path, 0, 'hel');
    const directory = join(await temporaryDirectory(), 'moved');
    await rename(first.directory, directory);
    const server = await startServer({ directory });
    expect((await patch(server, path, 3, 'lo')).status).toBe(204);
    expect((await request(server, 'GET', path)).text).toBe('hello');
  });
});

describe('names that collide', () => {
  it('field 28: a second upload of the same ID is 409 and truncates nothing', async () => {
    const server = await startServer({ hooks: named() });
    expect(createdPath(await post(server, id('a')))).toBe('/files/a');
    await patch(server, '/files/a', 0, 'hel');
    expect((await post(server, id('a'))).status).toBe(409);
    expect(await offsetOf(server, '/files/a')).toBe(3);
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(server, id('b'))));
    const statuses = answers.map(({ status }) => `${status}`).sort();
    expect(statuses).toEqual(['201', ...Array(9).fill('409')]);
    expect(await server.files()).toEqual(['a', 'a.info', 'b', 'b.info']);
  });

  it('field 28: bytes or a record that lie there already stay', async () => {
    const server = await startServer({ hooks: named() });
    await writeFile(join(server.directory, 'data'), 'precious');
    await writeFile(join(server.directory, 'record.info'), 'precious');
    expect((await post(server, id('data'))).status).toBe(409);
    expect((await post(server, id('record'))).status).toBe(409);
    expect(await server.files()).toEqual(['data', 'record.info']);
    expect(await readFile(join(server.directory, 'data'), 'utf8')).toBe('precious');
  });

  it.each([
    ['a', 'a/b'],
    ['a/b', 'a'],
  ])('"%s" is there, so "%s" is 409', async (first, second) => {
    const server = await startServer({ hooks: named() });
    expect((await post(server, id(first))).status).toBe(201);
    const before = await server.files();
    expect((await post(server, id(second))).status).toBe(409);
    expect((await head(server, basePath + second)).status).toBe(404);
    expect(await server.files()).toEqual(before);
    expect((await patch(server, basePath + first, 0, 'hello')).status).toBe(204);
  });
});

describe('records that cannot be read', () => {
  it.each([
    ['torn', '{"ID":"x","Si'],
    ['empty', ''],
    ['garbage', '\u0000\u0001\u0002'],
    ['an array', '[]'],
    ['null', 'null'],
    ['without a size', '{"ID":"x"}'],
    ['of a negative size', '{"ID":"x","Size":-1}'],
    ['of a size beyond numbers', '{"ID":"x","Size":1e300}'],
    ['with metadata of another kind', '{"ID":"x","Size":5,"MetaData":{"a":1}}'],
  ])('%s: 500, not 404, and the rest works', async (_, text) => {
    const server = await startServer();
    await writeFile(join(server.directory, 'x'), 'hel');
    await writeFile(join(server.directory, 'x.info'), text);
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      const response = await request(server, method, '/files/x');
      expect([method, response.status]).toEqual([method, 500]);
      expect(response.text).not.toContain(server.directory);
    }
    expect((await patch(server, '/files/x', 3, 'lo')).status).toBe(500);
    expect(await readFile(join(server.directory, 'x'), 'utf8')).toBe('hel');
    const path = await create(server, 5);
    expect((await patch(server, path, 0, 'hello')).status).toBe(204);
    await rm(join(server.directory, 'x.info'));
    expect((await head(server, '/files/x')).status).toBe(404);
  });

  it('a folder where a file should be is no upload', async () => {
    const server = await startServer();
    await mkdir(join(server.directory, 'x.info'));
    await mkdir(join(server.directory, 'y'));
    await writeInfo(server.directory, 'y');
    for (const path of ['/files/x', '/files/y'])
      expect((await head(server, path)).status).toBe(404);
  });
});
