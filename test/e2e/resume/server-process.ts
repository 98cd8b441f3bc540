import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { unlessAborted } from './unless-aborted.js';

export interface ServerProcessOptions {
  /** The command and the arguments that come before tusd's flags. */
  readonly command: readonly string[];
  readonly uploadDir: string;
  /** Flags beside those for host, port and directory. */
  readonly flags?: readonly string[];
  /** Set in its environment beside what this process has. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Told of an exit that nobody asked for, with the last of what the server said. */
  readonly onCrash: (exit: string) => void;
}

/** How a run of a server ended. */
export interface Exit {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly tookMs: number;
  readonly output: string;
}

interface Run {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  output: string;
  asked: boolean;
}

const greeting = /You can now upload files to: http:\/\/[^\s/]+:(\d+)\//;
const outputLength = 4000;

/** The built command, started again and again. */
export class ServerProcess {
  /** Bytes of memory at most, over all runs; 0 where the system does not tell. */
  peakMemory = 0;
  starts = 0;
  /** The slowest start so far, in milliseconds. */
  slowestStartMs = 0;
  readonly #options: ServerProcessOptions;
  #run: Run | undefined;
  #port: number | undefined;

  constructor(options: ServerProcessOptions) {
    this.#options = options;
  }

  /** Undefined while it does not take connections. */
  get port(): number | undefined {
    return this.#port;
  }

  /** A port of the system's choice each time: nobody else can have taken it in between. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const startedAt = performance.now();
    const run = this.#spawn();
    this.#run = run;
    this.#port = await listening(run, signal);
    this.starts += 1;
    this.slowestStartMs = Math.max(this.slowestStartMs, performance.now() - startedAt);
  }

  /** Ends it with a signal and waits until it has gone; undefined where it was not running. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<Exit | undefined> {
    if (this.#run === undefined) return undefined;
    this.sampleMemory();
    this.#port = undefined;
    this.#run.asked = true;
    this.#run.child.kill(signal);
    return this.ended();
  }

  /** Waits until it has gone, whoever ends it: that is no crash then. Undefined where it was not running. */
  async ended(): Promise<Exit | undefined> {
    const run = this.#run;
    if (run === undefined) return undefined;
    const askedAt = performance.now();
    run.asked = true;
    await run.exited;
    this.#port = undefined;
    this.#run = undefined;
    const { exitCode: code } = run.child;
    return { code, tookMs: performance.now() - askedAt, output: run.output };
  }

  /** Without waiting: for the end of this process. */
  kill(): void {
    this.#run?.child.kill('SIGKILL');
  }

  sampleMemory(): void {
    const pid = this.#run?.child.pid;
    if (pid === undefined || process.platform !== 'linux') return;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      // The kernel keeps the peak itself, so that none falls between two samples.
      const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0;
      this.peakMemory = Math.max(this.peakMemory, Number(kibibytes) * 1024);
    } catch {
      // It has just gone.
    }
  }

  #spawn(): Run {
    const { command, uploadDir, flags = [], environment, onCrash } = this.#options;
    const [file = '', ...first] = command;
    const place = ['-host', '127.0.0.1', '-port', '0', '-upload-dir', uploadDir, '-verbose=false'];
    const child = spawn(file, [...first, ...place, ...flags], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const run: Run = { child, exited: once(child, 'close'), output: '', asked: false };
    const keep = (text: string): void => {
      run.output = (run.output + text).slice(-outputLength);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('close', (code, signal) => {
      if (!run.asked) onCrash(`A server ended by itself (${signal ?? code}):\n${run.output}`);
    });
    return run;
  }
}

async function listening(run: Run, signal: AbortSignal): Promise<number> {
  const { stdout } = run.child;
  for (;;) {
    const port = greeting.exec(run.output)?.[1];
    if (port !== undefined) return Number(port);
    if (stdout === null) throw new Error('A server without an output');
    if (hasEnded(run.child)) throw new Error(`A server did not start:\n${run.output}`);
    await unlessAborted(Promise.race([once(stdout, 'data'), run.exited]), signal);
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
