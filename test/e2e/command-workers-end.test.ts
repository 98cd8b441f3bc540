import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  collect,
  createUpload,
  mainPath,
  type RunningCommand,
  useCommands,
} from './command-helper.js';
import { HalfSent } from './half-sent.js';
import { beginOnBoth, holderOf, sent, size, workersOf } from './workers-helper.js';

const start = useCommands();
const folders: string[] = [];
const bareCommands: ChildProcess[] = [];

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tuskd-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  // Also after a test that ran out of time.
  for (const child of bareCommands.splice(0)) endGroup(child);
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** Ends a command and its workers. Its output ends with the last of them: then the group is nobody's. */
function endGroup({ pid, stdout }: ChildProcess): void {
  if (pid !== undefined && stdout?.closed !== true) process.kill(-pid, 'SIGKILL');
}

function startWorkers(...args: readonly string[]): Promise<RunningCommand> {
  return start({ args: ['-workers=2', ...args] });
}

async function offsetOf(location: string): Promise<string | null> {
  const response = await fetch(location, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } });
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
    detached: true,
  });
  const output = collect(child.stdout);
  bareCommands.push(child);
  await expect.poll(output, { timeout: 10_000 }).toMatch(/upload files to: \S+\n/);
  const [, url = ''] = /upload files to: (\S+)/.exec(output()) ?? [];
  await use({ process: child, url, directory });
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
