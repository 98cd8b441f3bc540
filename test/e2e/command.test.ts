import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createUpload, runCommand, useCommands } from './command-helper.js';

const start = useCommands();
const tus = { 'Tus-Resumable': '1.0.0' };
const folders: string[] = [];

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tuskd-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** The status of a GET. */
function request(options: http.RequestOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    http
      .get(options, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .on('error', reject);
  });
}

describe('the start', () => {
  it('prints where uploads go, with the port really bound, and they do go there', async () => {
    const { url, output } = await start();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*\/files\/$/);
    expect(output()).toContain('Using /files/ as the base path.');
    for (const form of [url, url.slice(0, -1)]) {
      const response = await fetch(form, { method: 'OPTIONS' });
      expect(response.headers.get('Tus-Version')).toBe('1.0.0');
      expect(response.ok).toBe(true);
    }
  });

  it('puts an IPv6 address into brackets', async (context) => {
    const probe = net.createServer().listen(0, '::1');
    const available = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    probe.close();
    context.skip(!available, 'this machine has no ::1');
    const { url } = await start({ args: ['-host=::1'] });
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+\/files\/$/);
    expect((await fetch(url, { method: 'OPTIONS' })).ok).toBe(true);
  });

  it('takes another base path, without a slash at its end too', async () => {
    const { url } = await start({ args: ['-base-path=/up/here'] });
    expect(url).toMatch(/\/up\/here$/);
    const location = await createUpload(url, 3);
    expect(location.startsWith(`${url}/`)).toBe(true);
    expect((await fetch(location, { method: 'HEAD', headers: tus })).ok).toBe(true);
  });

  it('can be silent', async () => {
    const folder = await makeFolder();
    const socketPath = join(folder, 's');
    const args = ['-show-startup-logs=false', `-unix-sock=${socketPath}`];
    const { output } = await start({ args, ready: /^/ });
    await expect
      .poll(() => request({ socketPath, path: '/' }).catch(() => 0), { timeout: 10_000 })
      .toBe(200);
    expect(output()).not.toContain('Using');
  });

  it('has limits that come from flags', async () => {
    const { url } = await start({
      args: ['-max-size=10', '-disable-termination', '-disable-cors'],
    });
    const options = await fetch(url, { method: 'OPTIONS' });
    expect(options.headers.get('Tus-Max-Size')).toBe('10');
    expect(options.headers.get('Tus-Extension')).not.toContain('termination');
    const headers = { ...tus, 'Upload-Length': '11', Origin: 'http://a.example' };
    const refused = await fetch(url, { method: 'POST', headers });
    expect(refused.status).toBe(413);
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  it('field 28: lets in the pages that its flags say, which is all of them without flags', async () => {
    const { url: open, output } = await start();
    const { url } = await start({
      args: [
        '-cors-allow-origin=^https://[a-z]+\\.example$',
        '-cors-allow-credentials',
        '-cors-allow-methods=PUT',
        '-cors-allow-headers=X-Tenant, X-Other',
        '-cors-expose-headers=X-Served-By',
        '-cors-max-age=60',
      ],
    });
    const ask = async (target: string, origin: string) => {
      const { status, headers } = await fetch(target, {
        method: 'OPTIONS',
        headers: { Origin: origin },
      });
      const of = (name: string) => headers.get(`Access-Control-${name}`);
      return { status, of };
    };
    expect((await ask(open, 'http://any.test')).of('Allow-Origin')).toBe('http://any.test');
    expect((await ask(open, 'http://any.test')).of('Allow-Credentials')).toBeNull();
    expect(output()).not.toContain('Warning');
    expect((await ask(url, 'http://any.test')).status).toBe(403);
    const { status, of } = await ask(url, 'https://app.example');
    expect([status, of('Allow-Origin')]).toEqual([200, 'https://app.example']);
    expect(of('Allow-Credentials')).toBe('true');
    expect(of('Allow-Methods')).toMatch(/PATCH.*, PUT$/);
    expect(of('Allow-Headers')).toMatch(/Upload-Offset.*, X-Tenant, X-Other$/);
    expect(of('Expose-Headers')).toMatch(/Upload-Offset.*, X-Served-By$/);
    expect(of('Max-Age')).toBe('60');
  });

  it('field 47: warns where its flags give credentials to every page, as tusd does not', async () => {
    const { url, output } = await start({ args: ['-cors-allow-credentials'] });
    expect(output()).toContain('Warning: with -cors-allow-credentials and no -cors-allow-origin');
    const headers = { Origin: 'http://any.test' };
    const answer = await fetch(url, { method: 'OPTIONS', headers });
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('http://any.test');
    expect(answer.headers.get('Access-Control-Allow-Credentials')).toBe('true');
  });

  it('accepts headers of almost a mebibyte', async () => {
    const { url } = await start();
    const headers = { 'X-Long': 'a'.repeat(1_000_000) };
    expect((await fetch(url, { method: 'OPTIONS', headers })).ok).toBe(true);
  });
});

describe('the greeting', () => {
  it('is at the root alone', async () => {
    const { url } = await start();
    const root = new URL('/', url);
    const response = await fetch(root);
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toContain('found at /files/.');
    expect((await fetch(root, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(root, { method: 'POST' })).status).toBe(404);
    expect((await fetch(new URL('/elsewhere', url))).status).toBe(404);
  });

  it('can be turned off', async () => {
    const { url } = await start({ args: ['-show-greeting=false'] });
    expect((await fetch(new URL('/', url))).status).toBe(404);
  });

  it('gives way to uploads at the root', async () => {
    const { url } = await start({ args: ['-base-path=/'] });
    expect((await fetch(url)).status).not.toBe(200);
    expect(await createUpload(url, 1)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\w+$/);
  });
});

describe('a start that fails', () => {
  it.each([
    [['-nonsense'], 'flag provided but not defined: -nonsense'],
    [['-port=abc'], 'invalid value "abc" for flag -port: must be a whole number'],
    [['surplus'], 'unexpected argument "surplus"'],
  ])('over %j says so in one line and exits with 2', async (args, message) => {
    expect(await runCommand(args)).toEqual({
      code: 2,
      output: '',
      errors: `tuskd: ${message} (see tuskd -help)\n`,
    });
  });

  it('over a port in use says so in one line and exits with 1', async () => {
    const { url, directory } = await start();
    const { port } = new URL(url);
    const args = ['-host=127.0.0.1', `-port=${port}`, `-upload-dir=${directory}`];
    const { code, errors } = await runCommand(args);
    expect(code).toBe(1);
    expect(errors).toMatch(/^tuskd: unable to listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*\n$/);
  });

  it('over an upload directory that is a file says so in one line and exits with 1', async () => {
    const path = join(await makeFolder(), 'file');
    await writeFile(path, '');
    const { code, errors } = await runCommand(['-port=0', `-upload-dir=${path}`]);
    expect(code).toBe(1);
    expect(errors).toMatch(/^tuskd: unable to use .*\/file as the upload directory: .+\n$/);
  });
});

describe('-version and -help', () => {
  it('print the version and nothing else', async () => {
    const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    const { version }: { version: string } = JSON.parse(manifest);
    const output = `Version: ${version}\nNode.js: ${process.version}\n`;
    expect(await runCommand(['-version'])).toEqual({ code: 0, output, errors: '' });
  });

  it.each(['-h', '-help', '--help'])('print the help for %s', async (flag) => {
    const { code, output, errors } = await runCommand([flag]);
    expect([code, errors]).toEqual([0, '']);
    expect(output).toContain('Usage: tuskd [flags]');
  });
});

describe.skipIf(process.platform === 'win32')('a Unix socket', () => {
  const ready = /^Using (\S+) as socket to listen\.$/m;

  it('serves, and is gone afterwards', async () => {
    const socketPath = join(await makeFolder(), 's');
    const command = await start({ args: [`-unix-sock=${socketPath}`], ready });
    expect(command.url).toBe(socketPath);
    expect(await request({ socketPath, path: '/' })).toBe(200);
    expect(await command.stop()).toBe(0);
    await expect(stat(socketPath)).rejects.toThrow('ENOENT');
  });

  it('takes the place of one that a dead server left behind', async () => {
    const socketPath = join(await makeFolder(), 's');
    const dead = await start({ args: [`-unix-sock=${socketPath}`], ready });
    await dead.stop('SIGKILL');
    expect((await stat(socketPath)).isSocket()).toBe(true);
    await start({ args: [`-unix-sock=${socketPath}`], ready });
    expect(await request({ socketPath, path: '/' })).toBe(200);
  });

  it('leaves a living one and other files alone', async () => {
    const folder = await makeFolder();
    const socketPath = join(folder, 's');
    const filePath = join(folder, 'f');
    await start({ args: [`-unix-sock=${socketPath}`], ready });
    await writeFile(filePath, 'precious');
    for (const path of [socketPath, filePath]) {
      const { code, errors } = await runCommand([`-unix-sock=${path}`, `-upload-dir=${folder}`]);
      expect(code).toBe(1);
      expect(errors).toMatch(/^tuskd: unable to listen on .*EADDRINUSE.*\n$/);
    }
    expect(await request({ socketPath, path: '/' })).toBe(200);
    expect(await readFile(filePath, 'utf8')).toBe('precious');
  });

  it('is refused where its path would be cut off', async () => {
    const folder = await makeFolder();
    const path = join(folder, 'x'.repeat(108));
    const { code, errors } = await runCommand([`-unix-sock=${path}`, `-upload-dir=${folder}`]);
    expect(code).toBe(1);
    expect(errors).toContain('the path is longer than');
  });
});
