import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const examples = join(root, 'examples');

/** A server of `examples/`, running. */
export interface Example {
  readonly port: number;
  /** Where uploads are created. */
  readonly url: string;
  readonly process: ChildProcess;
}

export interface ExampleOptions {
  /** The working directory: examples keep uploads in `./uploads`. */
  readonly directory: string;
  /** The program that runs the file; this Node by default. */
  readonly command?: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

/** Why the examples' packages cannot be used; undefined where they can. */
export function whyNoExamples(): string | undefined {
  if (existsSync(join(examples, 'node_modules'))) return undefined;
  return "the examples' packages are not installed: npm ci --prefix examples";
}

/**
 * Starts `examples/FILE` for the length of one test. Every example listens on `PORT` (8080 by default; 0 takes any free
 * one) and prints one line with the URL at which it takes uploads.
 */
export async function startExample(file: string, options: ExampleOptions): Promise<Example> {
  const [program, ...args] = options.command ?? [process.execPath];
  const child = spawn(program, [...args, join(examples, file)], {
    cwd: options.directory,
    env: { ...process.env, PORT: '0', ...options.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => stop(child));
  for await (const line of createInterface(child.stdout)) {
    const [url, port] = /http:\/\/[^/\s]*:(\d+)\/\S*/.exec(line) ?? [];
    if (url !== undefined) return { url, port: Number(port), process: child };
  }
  throw new Error(`${file} ended before it listened`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
