import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCommand, type RunningCommand, useCommands } from './command-helper.js';
import { HalfSent } from './half-sent.js';
import { holderOf, sent, size, workersOf } from './workers-helper.js';

const start = useCommands();
const tus = { 'Tus-Resumable': '1.0.0' };
const folders: string[] = [];

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tuskd-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

function startWorkers(...args: readonly string[]): Promise<RunningCommand> {
  return start({ args: ['-workers=2', ...args] });
}

describe('several workers', () => {
  it('take turns on one upload: the newer request takes over from another worker', async () => {
    const command = await startWorkers();
    const { directory } = command;
    const first = await HalfSent.begin(command, size, sent);
    const holder = await holderOf(first);
    const second = await HalfSent.resume(directory, first.location, size, sent, sent);
    expect(workersOf(command.output())).toContain(await holderOf(second));
    expect(await holderOf(second)).not.toBe(holder);
    expect(await first.answer()).toContain('ERR_UPLOAD_INTERRUPTED');
    second.finish();
    expect(await second.answer()).toMatch(/^HTTP\/1\.1 204 /);
    expect((await readFile(first.path)).equals(Buffer.alloc(size, 'x'))).toBe(true);
  });

  it('get connections evenly, also those that come at the same time', async () => {
    const command = await startWorkers();
    const [one] = workersOf(command.output());
    async function begin(count: number): Promise<{ ofOne: HalfSent[]; ofTwo: HalfSent[] }> {
      const halves = await Promise.all(
        Array.from({ length: count }, () => HalfSent.begin(command, size, sent)),
      );
      const holders = await Promise.all(halves.map(holderOf));
      return {
        ofOne: halves.filter((_, index) => holders[index] === one),
        ofTwo: halves.filter((_, index) => holders[index] !== one),
      };
    }
    const before = await begin(6);
    expect([before.ofOne.length, before.ofTwo.length]).toEqual([3, 3]);
    await Promise.all(before.ofOne.map((half) => half.breakOff()));
    expect((await begin(2)).ofOne).toHaveLength(2);
  });

  it.skipIf(process.platform !== 'linux')('are the only ones to hold connections', async () => {
    const command = await startWorkers();
    const descriptors = async (): Promise<number> =>
      (await readdir(`/proc/${command.process.pid}/fd`)).length;
    const before = await descriptors();
    const { port, hostname } = new URL(command.url);
    const sockets = Array.from({ length: 20 }, () => net.connect(Number(port), hostname));
    await Promise.all(
      sockets.map(async (socket) => {
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        await once(socket, 'data');
      }),
    );
    await expect.poll(descriptors).toBe(before);
    for (const socket of sockets) socket.destroy();
  });

  it('listen before the start is announced, on one port', async () => {
    const { url, output } = await startWorkers();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*\/files\/$/);
    expect(output()).toMatch(
      /^Using '.*' as directory storage\.\nUsing \/files\/ .*\n(?:.*event=WorkerStarted .*\n){2}Using 127\.0\.0\.1:0 as address to listen\.\nYou can now upload files to: .*\n$/,
    );
  });

  it('end with a port in use, or a directory that is none, as one process does', async () => {
    const { url, directory } = await startWorkers();
    const file = join(directory, 'file');
    await writeFile(file, '');
    const port = `-port=${new URL(url).port}`;
    for (const args of [[port, `-upload-dir=${directory}`], [`-upload-dir=${file}`]]) {
      const one = await runCommand(['-host=127.0.0.1', ...args]);
      const two = await runCommand(['-host=127.0.0.1', ...args, '-workers=2']);
      expect(two).toEqual(one);
      expect(two.code).toBe(1);
      expect(two.errors).toMatch(/^tuskd: unable to .+\n$/);
    }
  });

  it('end the command if one cannot start', async () => {
    const directory = await makeFolder();
    const exit = '/worker-main/.test(process.argv[1])&&process.exit(7)';
    vi.stubEnv('NODE_OPTIONS', `--import=data:text/javascript,${exit}`);
    const { code, errors } = await runCommand([
      '-workers=2',
      '-port=0',
      `-upload-dir=${directory}`,
    ]);
    expect(code).toBe(1);
    expect(errors).toMatch(/^tuskd: unable to start worker \d: it exited with 7\n$/);
  });

  it('write whole lines into one pipe, however full it is', async () => {
    const command = await startWorkers();
    command.process.stdout.pause();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    let left = 3000;
    async function request(): Promise<void> {
      for (; left > 0; left -= 1) {
        const [response] = await once(http.get(`${command.url}nothing`, { agent }), 'response');
        response.resume();
        await once(response, 'end');
      }
    }
    await Promise.all(Array.from({ length: 16 }, request));
    command.process.stdout.resume();
    expect(await command.stop()).toBe(0);
    agent.destroy();
    const lines = command.output().split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(6000);
    const event = /^\d{4}\/\d\d\/\d\d [\d:.]{15} level=[A-Z]+ event=\w+( \w+=\S+)+$/;
    const said =
      /^(Using .* directory storage|Using .* base path|Using .* listen|Received .* tusd\.\.|Shutdown .*!)\.?$/;
    const broken = lines.filter((line) => !event.test(line) && !said.test(line));
    expect(broken.filter((line) => !line.startsWith('You can now upload files to: '))).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('a Unix socket', () => {
  it('is shared, and is gone afterwards', async () => {
    const socketPath = join(await makeFolder(), 's');
    const ready = /^Using (\S+) as socket to listen\.$/m;
    const command = await start({ args: ['-workers=2', `-unix-sock=${socketPath}`], ready });
    const headers = { ...tus, 'Upload-Length': '5' };
    const path = '/files/';
    const [created] = await once(
      http.request({ socketPath, path, method: 'POST', headers, agent: false }).end(),
      'response',
    );
    expect(created.resume().statusCode).toBe(201);
    const { pathname } = new URL(created.headers.location);
    const [found] = await once(
      http
        .request({ socketPath, path: pathname, method: 'HEAD', headers: tus, agent: false })
        .end(),
      'response',
    );
    expect(found.headers['upload-length']).toBe('5');
    expect(await command.stop()).toBe(0);
    await expect(stat(socketPath)).rejects.toThrow('ENOENT');
  });
});
