import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  collect,
  createUpload,
  mainPath,
  runCommand,
  type RunningCommand,
  useCommands,
} from './command-helper.js';
import { HalfSent } from './half-sent.js';

const start = useCommands();
const tus = { 'Tus-Resumable': '1.0.0' };
const size = 1_000_000;
const sent = 300_000;
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

/** The PIDs of all workers that have ever started. */
function workersOf(output: string): number[] {
  return Array.from(output.matchAll(/event=WorkerStarted .*pid=(\d+)/g), ([, pid]) => Number(pid));
}

/** Which worker is at work on an upload: its lock tells. */
async function holderOf({ path }: HalfSent): Promise<number> {
  return Number.parseInt(await readFile(`${path}.lock`, 'utf8'), 10);
}

/** Two uploads that are being received, one by each worker. */
async function beginOnBoth(command: RunningCommand): Promise<[HalfSent, HalfSent]> {
  const halves = [
    await HalfSent.begin(command, size, sent),
    await HalfSent.begin(command, size, sent),
  ] as const;
  const holders = await Promise.all(halves.map(holderOf));
  expect(new Set(holders)).toEqual(new Set(workersOf(command.output())));
  return [...halves];
}

async function offsetOf(location: string): Promise<string | null> {
  const response = await fetch(location, { method: 'HEAD', headers: tus });
  return response.headers.get('Upload-Offset');
}

/** What comes first. */
function fateOf(socket: net.Socket): Promise<'answered' | 'closed'> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('data', () => resolve('answered')).once('close', () => resolve('closed'));
  });
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
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

describe('a worker that dies', () => {
  it('takes only its own requests along, and is replaced; its uploads go on', async () => {
    const command = await startWorkers();
    const [lost, other] = await beginOnBoth(command);
    const pid = await holderOf(lost);
    process.kill(pid, 'SIGKILL');
    expect(await lost.answer()).toBe('');
    await command.waitForOutput(
      new RegExp(
        String.raw`level=WARN event=WorkerExited worker=\d pid=${pid} signal=SIGKILL pauseMs=100\n(?:.*\n)*.*event=WorkerStarted`,
      ),
    );
    other.finish();
    expect(await other.answer()).toMatch(/^HTTP\/1\.1 204 /);
    expect(await offsetOf(lost.location)).toBe(String(sent));
    const rest = await HalfSent.resume(command.directory, lost.location, size, sent, 1);
    rest.finish();
    expect(await rest.answer()).toMatch(/^HTTP\/1\.1 204 /);
    expect((await readFile(rest.path)).length).toBe(size);
    expect(await command.stop()).toBe(0);
  });

  it('before it has seen a connection does not leave it hanging', async () => {
    const command = await startWorkers();
    const [pid = 0] = workersOf(command.output());
    process.kill(pid, 'SIGSTOP');
    const { port, hostname } = new URL(command.url);
    const sockets = [net.connect(Number(port), hostname), net.connect(Number(port), hostname)];
    for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const fates = sockets.map(fateOf);
    // The other worker answers the one that it got.
    expect(await Promise.race(fates)).toBe('answered');
    process.kill(pid, 'SIGKILL');
    expect((await Promise.all(fates)).toSorted()).toEqual(['answered', 'closed']);
    for (const socket of sockets) socket.destroy();
  });

  it('at once again and again is replaced less and less often', async () => {
    const command = await startWorkers();
    for (const pauseMs of [100, 200, 400]) {
      const pid = workersOf(command.output()).at(-1) ?? 0;
      process.kill(pid, 'SIGKILL');
      await command.waitForOutput(
        new RegExp(`pid=${pid} signal=SIGKILL pauseMs=${pauseMs}\n(?:.*\n)*.*event=WorkerStarted`),
      );
    }
    expect((await fetch(command.url, { method: 'OPTIONS' })).ok).toBe(true);
  });

  it('with all others leaves the port to the next, who answer whoever came meanwhile', async () => {
    const command = await startWorkers();
    for (const pid of workersOf(command.output())) process.kill(pid, 'SIGKILL');
    await command.waitForOutput(/(?:WorkerExited(?:.*\n)*.*){2}/);
    expect(await createUpload(command.url, 1)).toContain(command.url);
  });
});

describe('a signal', () => {
  it('interrupts the uploads of all workers, which keep their bytes', async () => {
    const command = await startWorkers();
    const halves = await beginOnBoth(command);
    // As Ctrl-C does: every process of the group gets it.
    for (const pid of workersOf(command.output())) process.kill(pid, 'SIGINT');
    expect(await command.stop('SIGINT')).toBe(0);
    for (const half of halves) {
      expect(await half.answer()).toMatch(/^HTTP\/1\.1 503 [^]*\r\n\r\nERR_SERVER_SHUTDOWN: /);
      expect((await readFile(half.path)).length).toBe(sent);
    }
    const [output, errors] = [command.output(), command.errors()];
    expect(occurrences(output, 'Received interrupt signal. Shutting down tusd...\n')).toBe(1);
    expect(output).toMatch(/Shutdown completed\. Goodbye!\n$/);
    expect(occurrences(output, 'Goodbye')).toBe(1);
    expect(output).not.toContain('WorkerExited');
    expect(errors).toBe('');
  });

  it('waits for no connection that is not used', async () => {
    const command = await startWorkers();
    for (let count = 0; count < 2; count += 1) await fetch(command.url, { method: 'OPTIONS' });
    const unused = net.connect(Number(new URL(command.url).port), '127.0.0.1');
    await once(unused, 'connect');
    const begin = performance.now();
    expect(await command.stop()).toBe(0);
    expect(performance.now() - begin).toBeLessThan(3000);
    unused.destroy();
  });

  it('cuts off what is not done in time, and still exits with 0', async () => {
    const command = await startWorkers('-shutdown-timeout=100ms');
    const halves = await beginOnBoth(command);
    expect(await command.stop()).toBe(0);
    for (const half of halves) {
      await half.answer();
      expect((await readFile(half.path)).length).toBe(sent);
    }
    expect(command.errors()).toBe('Shutdown timeout exceeded. Exiting immediately!\n');
  });

  // Its output ends, and with it `stop()`, only when the last process that could write is gone.
  it('that comes again ends all at once with 1', async () => {
    const command = await startWorkers();
    await beginOnBoth(command);
    command.process.kill('SIGTERM');
    await command.waitForOutput(/Received interrupt signal/);
    expect(await command.stop('SIGINT')).toBe(1);
    expect(command.output()).toMatch(/Received second interrupt signal\. Exiting immediately!\n$/);
    expect(command.output()).not.toContain('Goodbye');
  });
});

/** Two workers by hand: the commands of the helper end themselves with their parent, and have no shell. */
async function withBareCommand(
  shell: readonly string[],
  use: (command: { process: ChildProcess; url: string; directory: string }) => Promise<void>,
): Promise<void> {
  const directory = await makeFolder();
  const flags = ['-workers=2', '-host=127.0.0.1', '-port=0', `-upload-dir=${directory}`];
  const command = [...shell, process.execPath, mainPath, ...flags];
  const child = spawn(command[0] ?? '', command.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = collect(child.stdout);
  try {
    await expect.poll(output, { timeout: 10_000 }).toMatch(/upload files to: \S+\n/);
    const [, url = ''] = /upload files to: (\S+)/.exec(output()) ?? [];
    await use({ process: child, url, directory });
  } finally {
    child.kill('SIGKILL');
    if (!child.stdout.closed) {
      for (const pid of workersOf(output())) process.kill(pid, 'SIGKILL');
    }
  }
}

describe('the first process', () => {
  it('that is killed is survived by no worker, and no byte is lost', () =>
    withBareCommand([], async (command) => {
      const closed = once(command.process, 'close');
      const halves = [
        await HalfSent.begin(command, size, sent),
        await HalfSent.begin(command, size, sent),
      ];
      command.process.kill('SIGKILL');
      for (const half of halves) {
        expect(await half.answer()).toMatch(/^HTTP\/1\.1 503 /);
        expect((await readFile(half.path)).length).toBe(sent);
      }
      await closed;
      await expect(fetch(command.url, { method: 'OPTIONS' })).rejects.toThrow('fetch failed');
    }));

  it.skipIf(process.platform === 'win32')(
    'closes what a worker without free descriptors did not get',
    () =>
      withBareCommand(['sh', '-c', 'ulimit -n 60; exec "$0" "$@"'], async ({ url }) => {
        const sockets: net.Socket[] = [];
        const fates: Promise<string>[] = [];
        for (let count = 0; count < 120; count += 1) {
          const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
          await once(socket, 'connect');
          socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
          sockets.push(socket);
          fates.push(fateOf(socket));
        }
        const ends = await Promise.all(fates);
        expect(new Set(ends)).toEqual(new Set(['answered', 'closed']));
        for (const socket of sockets) socket.destroy();
      }),
  );
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
