import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer, temporaryDirectory, type TestServer } from './server.js';
import {
  basePath,
  chunkType,
  create,
  download,
  head,
  offsetOf,
  patch,
  post,
  request,
} from './tus.js';

const MiB = 1024 * 1024;
const canMount = process.platform === 'linux' && mountWorks();
const isRoot = process.getuid?.() === 0;

describe.skipIf(!canMount)('a full disk (needs the right to mount a tmpfs)', () => {
  it('field 29: 507, the offset is what is on the disk, and the upload goes on when there is space', async () => {
    const directory = await mountTmpfs('8m');
    const server = await startServer({ directory });
    const size = 12 * MiB;
    const path = await create(server, size);
    const content = Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz');
    const full = await patch(server, path, 0, content);
    expect([full.status, full.text]).toEqual([
      507,
      'ERR_STORAGE_FULL: the server has no space left for this upload\n',
    ]);
    const offset = await offsetOf(server, path);
    expect(offset).toBeGreaterThan(7 * MiB);
    expect(offset).toBe((await stat(`${directory}/${path.slice(basePath.length)}`)).size);
    expect((await download(server, path)).equals(content.subarray(0, offset))).toBe(true);
    remount(directory, 'size=16m');
    expect((await patch(server, path, offset, content.subarray(offset))).status).toBe(204);
    expect((await download(server, path)).equals(content)).toBe(true);
  });

  it('field 29: no upload can be made, none is left halfway, and others are served', async () => {
    const directory = await mountTmpfs('1m');
    const server = await startServer({ directory });
    const path = await create(server, 5);
    await patch(server, path, 0, 'hello');
    await writeFile(`${directory}/ballast`, Buffer.alloc(MiB)).catch(() => undefined);
    const before = await server.files();
    const metadata = `a ${Buffer.alloc(6000).toString('base64')}`;
    const response = await post(server, { 'Upload-Length': '5', 'Upload-Metadata': metadata });
    expect([response.status, response.text]).toEqual([
      507,
      'ERR_STORAGE_FULL: the server has no space left for this upload\n',
    ]);
    expect(await server.files()).toEqual(before);
    expect((await download(server, path)).toString()).toBe('hello');
    await rm(`${directory}/ballast`);
    expect((await post(server, { 'Upload-Length': '5', 'Upload-Metadata': metadata })).status).toBe(
      201,
    );
  });

  it('field 29: a length that cannot be kept is not half kept', async () => {
    const directory = await mountTmpfs('1m');
    const server = await startServer({ directory });
    const metadata = { 'Upload-Metadata': `a ${Buffer.alloc(6000).toString('base64')}` };
    const path = await create(server, 'deferred', metadata);
    await writeFile(`${directory}/ballast`, Buffer.alloc(MiB)).catch(() => undefined);
    const before = await server.files();
    expect((await patch(server, path, 0, '', { 'Upload-Length': '5' })).status).toBe(507);
    expect((await head(server, path)).header('upload-defer-length')).toBe('1');
    expect(await server.files()).toEqual(before);
  });

  it('field 33: a disk that became read-only is 500 for writers, and serves readers', async () => {
    const directory = await mountTmpfs('8m');
    const server = await startServer({ directory });
    const path = await create(server, 10);
    await patch(server, path, 0, 'hello');
    remount(directory, 'ro');
    await refusesWriters(server, path, directory);
    remount(directory, 'rw');
    expect((await patch(server, path, 5, 'world')).status).toBe(204);
  });
});

describe.skipIf(!isRoot)(
  'missing permission (needs the right to run a server as somebody else)',
  () => {
    it('field 33: is 500 for writers and readers, never 404', async () => {
      const directory = await temporaryDirectory();
      await chown(directory, nobody, nobody);
      await chmod(directory, 0o755);
      const port = await startChildServer(directory);
      const path = await create({ port }, 10);
      const file = `${directory}/${path.slice(basePath.length)}`;
      await patch({ port }, path, 0, 'hello');
      for (const locked of [file, `${file}.info`, directory]) {
        const { uid, mode } = await stat(locked);
        await chown(locked, 0, 0);
        await chmod(locked, 0);
        const appended = await patch({ port }, path, 5, 'world');
        expect([appended.status, appended.text]).toEqual([500, internalError]);
        const read = await request({ port }, 'GET', path);
        expect([read.status, read.text]).toEqual([500, internalError]);
        await chown(locked, uid, uid);
        await chmod(locked, mode);
        expect((await head({ port }, path)).status).toBe(200);
      }
      await chmod(directory, 0o555);
      expect((await post({ port }, { 'Upload-Length': '5' })).text).toBe(internalError);
      expect((await request({ port }, 'DELETE', path)).text).toBe(internalError);
      expect(await offsetOf({ port }, path)).toBe(5);
    });
  },
);

describe('a vanished directory', () => {
  it('field 33: its uploads are 404, and the next one makes it anew', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    await rm(server.directory, { recursive: true });
    expect((await head(server, path)).status).toBe(404);
    expect((await patch(server, path, 0, 'hello')).status).toBe(404);
    expect((await request(server, 'DELETE', path)).status).toBe(404);
    const again = await create(server, 5);
    expect((await patch(server, again, 0, 'hello')).status).toBe(204);
  });

  it('field 33: something else in its place is an error of the server, and passes', async () => {
    const server = await startServer();
    await rm(server.directory, { recursive: true });
    await writeFile(server.directory, '');
    const response = await post(server, { 'Upload-Length': '5' });
    expect(response.status).toBeGreaterThanOrEqual(500);
    expect(response.text).not.toContain(server.directory);
    await rm(server.directory);
    await mkdir(server.directory);
    expect((await post(server, { 'Upload-Length': '5' })).status).toBe(201);
  });

  it('field 33: files that go while bytes arrive take down nothing', async () => {
    const server = await startServer();
    const path = await create(server, 5);
    const file = `${server.directory}/${path.slice(basePath.length)}`;
    await rm(file);
    expect((await head(server, path)).status).toBe(404);
    await writeFile(file, '');
    await rm(`${file}.info`);
    expect((await head(server, path)).status).toBe(404);
    expect((await post(server, { ...chunkType, 'Upload-Length': '5' })).status).toBe(201);
  });
});

const internalError = 'ERR_INTERNAL_SERVER_ERROR: internal server error\n';
const nobody = 65534;

async function refusesWriters(server: TestServer, path: string, directory: string): Promise<void> {
  const answers = [
    await patch(server, path, 5, 'world'),
    await post(server, { 'Upload-Length': '5' }),
    await request(server, 'DELETE', path),
  ];
  for (const { status, text } of answers) {
    expect([status, text]).toEqual([500, internalError]);
    expect(text).not.toContain(directory);
  }
  expect(await offsetOf(server, path)).toBe(5);
  expect((await download(server, path)).toString()).toBe('hello');
}

/** A server in a process of its own that belongs to nobody; gives back its port. */
async function startChildServer(directory: string): Promise<number> {
  const tuskd = JSON.stringify(import.meta.resolve('tuskd'));
  const script = `
    import http from 'node:http';
    import { compose, createHandler, FileStore, MemoryLocker } from ${tuskd};
    const core = new FileStore({ directory: process.argv[1] });
    const server = http.createServer(
      createHandler({ backend: compose({ core, locker: new MemoryLocker() }) }),
    );
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    uid: nobody,
    gid: nobody,
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  for await (const line of createInterface({ input: child.stdout })) return Number(line);
  throw new Error('the server did not start');
}

/** A file system of that size, for the length of one test. */
async function mountTmpfs(size: string): Promise<string> {
  const directory = await temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', directory]));
  return directory;
}

function remount(directory: string, options: string): void {
  execFileSync('mount', ['-o', `remount,${options}`, directory]);
}

function mountWorks(): boolean {
  try {
    const script =
      'd=$(mktemp -d) && mount -t tmpfs tmpfs $d && umount $d; s=$?; rmdir $d; exit $s';
    execFileSync('sh', ['-c', script], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
