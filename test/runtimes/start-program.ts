import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { examples, pathOf, type RemoteRuntime } from './runtimes.js';

const programs = join(import.meta.dirname, 'programs');

export interface Program {
  /** Where it takes orders. */
  readonly controlUrl: string;
  stop(): Promise<void>;
}

/** Starts a program in which tests can have servers of a runtime. */
export async function startProgram(runtime: RemoteRuntime): Promise<Program> {
  const [command, ...args] = await commandOf(runtime);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /^control (\S+)$/.exec(line) ?? [];
    if (url !== undefined) return { controlUrl: url, stop: () => stop(child) };
  }
  throw new Error(`the program for ${runtime} ended before it listened`);
}

async function commandOf(runtime: RemoteRuntime): Promise<[string, ...string[]]> {
  switch (runtime) {
    case 'bun':
      return [pathOf('bun'), join(programs, 'bun.mjs')];
    case 'deno':
      // Without the flag, Deno aborts the signal of requests that went well, too, and warns of it.
      return [
        pathOf('deno'),
        'run',
        '--allow-all',
        '--unstable-no-legacy-abort',
        join(programs, 'deno.mjs'),
      ];
    case 'next':
      return [process.execPath, join(programs, 'next/server.mjs'), await buildNextApp()];
  }
}

/** An app has to lie where its packages are found. */
async function buildNextApp(): Promise<string> {
  const directory = join(examples, 'node_modules/.cache/tuskd-test-next');
  await rm(directory, { recursive: true, force: true });
  await cp(join(programs, 'next'), directory, { recursive: true });
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', TUSKD_NEXT_ROOT: dirname(examples) };
  await promisify(execFile)(pathOf('next'), ['build', directory], { env });
  return directory;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
