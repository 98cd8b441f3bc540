import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, vi } from 'vitest';

export const mainPath = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const startLimitMs = 10_000;
const stopLimitMs = 20_000;

/** Kills the command when its standard input ends: also when the test process was killed and could not do it. */
const dieWithParent =
  'data:text/javascript,process.stdin.on("close",()=>process.kill(process.pid,"SIGKILL")).resume().unref()';

export type CommandProcess = ChildProcessByStdio<Writable, Readable, Readable>;

export interface CommandOptions {
  /** Flags beside host, port and upload directory, which come first and may be overridden. */
  readonly args?: readonly string[];
  /** What standard output says once the server is up; the first group becomes `url`. */
  readonly ready?: RegExp;
  /** The upload directory; a new one, removed in the end, by default. */
  readonly directory?: string;
  /** Set in its environment beside what this process has; undefined takes a variable away. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A running `tuskd`. */
export interface RunningCommand {
  readonly process: CommandProcess;
  /** Where uploads are created, from the start-up line. */
  readonly url: string;
  readonly directory: string;
  /** Standard output up to now. */
  readonly output: () => string;
  /** Standard error up to now. */
  readonly errors: () => string;
  /** Waits until standard output matches. */
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends the signal and resolves with the exit code; null where a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Resolves with the exit code; null where a signal ended it. */
  exited(): Promise<number | null>;
  /** Ends it whatever state it is in, and removes what it wrote. Can be called always and again. */
  kill(): Promise<void>;
}

/** Starts the built command on a free port and resolves once it says that it is up. */
export async function startCommand(options: CommandOptions = {}): Promise<RunningCommand> {
  const { args = [], ready = /^You can now upload files to: (\S+)$/m } = options;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'tuskd-e2e-')));
  const flags = ['-host=127.0.0.1', '-port=0', `-upload-dir=${directory}`, ...args];
  const child = spawnCommand(flags, options.env);
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  const closed = closing(child);

  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    child.stdout.resume();
    await closed;
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  }
  async function waitForOutput(pattern: RegExp): Promise<RegExpExecArray> {
    const match = await untilMatch(child, output, pattern);
    if (match) return match;
    throw new Error(`no ${pattern} in the output of tuskd:\n${output()}\n${errors()}`);
  }

  try {
    const [, url = ''] = await waitForOutput(ready);
    return {
      process: child,
      url,
      directory,
      output,
      errors,
      waitForOutput,
      kill,
      exited: () => withinLimit(closed),
      stop(signal = 'SIGTERM') {
        child.kill(signal);
        return withinLimit(closed);
      },
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

/**
 * For test files that start commands in most tests: `startCommand`, and after each test all are killed. Starting one
 * takes long on a busy machine, so the tests of the file get more time.
 */
export function useCommands(): typeof startCommand {
  vi.setConfig({ testTimeout: 30_000 });
  const running: RunningCommand[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((command) => command.kill()));
  });
  return async (options) => {
    const command = await startCommand(options);
    running.push(command);
    return command;
  };
}

/** Creates an upload and resolves with its URL. */
export async function createUpload(url: string, size: number): Promise<string> {
  const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(size) };
  const response = await fetch(url, { method: 'POST', headers });
  expect(response.status).toBe(201);
  return response.headers.get('Location') ?? '';
}

/** Runs the built command to its end. */
export async function runCommand(
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawnCommand(args, env);
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  try {
    return { code: await withinLimit(closing(child)), output: output(), errors: errors() };
  } finally {
    child.kill('SIGKILL');
  }
}

function spawnCommand(args: readonly string[], env: NodeJS.ProcessEnv = {}): CommandProcess {
  return spawn(process.execPath, [`--import=${dieWithParent}`, mainPath, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Gathers what a stream says. */
export function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  return () => text;
}

/** When the process is gone and its output read to the end. */
async function closing(child: CommandProcess): Promise<number | null> {
  await once(child, 'close');
  return child.exitCode;
}

/** Null where the output ends, or the time, without a match. */
function untilMatch(
  child: CommandProcess,
  output: () => string,
  pattern: RegExp,
): Promise<RegExpExecArray | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(settle, startLimitMs);
    function settle(): void {
      clearTimeout(timer);
      child.stdout.off('data', look).off('close', settle);
      resolve(pattern.exec(output()));
    }
    function look(): void {
      if (pattern.test(output())) settle();
    }
    child.stdout.on('data', look).on('close', settle);
    if (child.stdout.closed) settle();
    else look();
  });
}

async function withinLimit(closed: Promise<number | null>): Promise<number | null> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`still runs after ${stopLimitMs} ms`)), stopLimitMs);
  });
  try {
    return await Promise.race([closed, limit]);
  } finally {
    clearTimeout(timer);
  }
}
