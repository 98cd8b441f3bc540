import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { groupUsage, type Usage } from './process-group.js';

const startLimitMs = 10_000;

/** A server that takes connections. */
export class ServerProcess {
  readonly port: number;
  /** From its start until it took a connection. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #logPath: string;

  private constructor(child: ChildProcess, port: number, startMs: number, logPath: string) {
    this.#child = child;
    this.port = port;
    this.startMs = startMs;
    this.#logPath = logPath;
  }

  /**
   * @param command with `{port}` and `{dir}`
   * @param logPath a file for what it says
   * @param environment beside that of this process
   * @throws Error with what it said, where it does not start
   */
  static async start(
    command: readonly string[],
    directory: string,
    logPath: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const port = await freePort();
    const [file = '', ...args] = command.map((word) =>
      word.replaceAll('{port}', String(port)).replaceAll('{dir}', directory),
    );
    const log = openSync(logPath, 'a');
    const startedAt = performance.now();
    // A group of its own: all that it starts is counted, and ended, with it.
    const child = spawn(file, args, {
      stdio: ['ignore', log, log],
      detached: true,
      env: { ...process.env, ...environment },
    });
    closeSync(log);
    let gone: string | undefined;
    child.once('error', (error) => (gone = error.message));
    child.once('exit', () => (gone = 'It ended'));
    while (!(await accepts(port))) {
      if (performance.now() - startedAt > startLimitMs) gone ??= 'It does not listen';
      if (gone !== undefined) {
        stopGroup(child);
        throw new Error(`${gone}: ${command.join(' ')}\n${readFileSync(logPath, 'utf8')}`);
      }
      // The only thing that every server does when it is ready is to take a connection.
      await delay(1);
    }
    return new ServerProcess(child, port, performance.now() - startedAt, logPath);
  }

  usage(): Usage {
    return groupUsage(this.#child.pid ?? 0);
  }

  /** The last that it said. */
  get log(): string {
    return readFileSync(this.#logPath, 'utf8').slice(-1000);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    stopGroup(this.#child);
    await exited;
  }
}

function stopGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just gone.
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
