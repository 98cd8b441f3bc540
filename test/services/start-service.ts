import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dieTogether } from './die-together.js';
import { pathOf, type ServiceProgram } from './programs.js';

export interface ServiceOptions {
  readonly program: ServiceProgram;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What lies in its working directory at the start, a new one: texts by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether it answers as one does that is ready. Asked until it does; may fail until then. */
  readonly answers: () => Promise<boolean>;
}

/** A program that runs in a temporary directory of its own. */
export interface ServiceProcess {
  readonly directory: string;
  signal(signal: NodeJS.Signals): void;
  /** Ends it whatever state it is in, and removes what it wrote. Can be called again. */
  readonly stop: () => Promise<void>;
}

const startLimitMs = 15_000;
const askAgainMs = 5;

/** Runs a program in the foreground, and resolves once it answers. It dies with the process that started it. */
export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const { program, args, env, files = {}, answers } = options;
  const directory = await mkdtemp(join(tmpdir(), `tuskd-${program}-`));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const child = spawn(pathOf(program), args, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  dieTogether(child);
  const closed = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream
      .setEncoding('utf8')
      .on('data', (text: string) => (output = (output + text).slice(-4096)));
  }
  async function stop(): Promise<void> {
    child.kill('SIGKILL');
    await closed;
    await rm(directory, { recursive: true, force: true });
  }
  try {
    await untilReady(child, answers);
  } catch (error) {
    await stop();
    throw new Error(`${program} did not start: ${output}`, { cause: error });
  }
  return { directory, stop, signal: (signal) => void child.kill(signal) };
}

async function untilReady(child: ChildProcess, answers: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + startLimitMs;
  let failure: unknown;
  while (performance.now() < limit) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended');
    try {
      if (await answers()) return;
    } catch (error) {
      failure = error;
    }
    await sleep(askAgainMs);
  }
  throw new Error(`no answer in ${startLimitMs} ms`, { cause: failure });
}
