import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { listDirectory } from '../protocol/list-directory.js';
import { type CommandOptions, type RunningCommand, startCommand } from './command-helper.js';

type Flags = NonNullable<CommandOptions['args']>;

/** One of several processes. Helpers that talk to a server of `test/protocol/` take it for one. */
export interface BedProcess {
  readonly command: RunningCommand;
  readonly port: number;
}

/** Commands that know of each other by nothing but their upload directory. The path of an upload is the same at each. */
export class ProcessBed {
  readonly directory: string;
  readonly first: BedProcess;
  readonly #others: BedProcess[] = [];
  readonly #flags: Flags;

  private constructor(first: BedProcess, flags: Flags) {
    this.directory = first.command.directory;
    this.first = first;
    this.#flags = flags;
  }

  static async start(count: number, flags: Flags = []): Promise<ProcessBed> {
    const bed = new ProcessBed(asProcess(await startCommand({ args: flags })), flags);
    try {
      await Promise.all(Array.from({ length: count - 1 }, () => bed.startAnother()));
    } catch (error) {
      await bed.kill();
      throw error;
    }
    return bed;
  }

  get processes(): readonly BedProcess[] {
    return [this.first, ...this.#others];
  }

  /** The one that started last: of two, the second. */
  get last(): BedProcess {
    return this.#others.at(-1) ?? this.first;
  }

  /** Does the same at all of them at once. */
  onAll<Result>(
    action: (process: BedProcess, index: number) => Promise<Result>,
  ): Promise<Result[]> {
    return Promise.all(this.processes.map(action));
  }

  /** Starts one more, as after a restart. */
  async startAnother(): Promise<BedProcess> {
    const { directory } = this;
    const process = asProcess(await startCommand({ args: this.#flags, directory }));
    this.#others.push(process);
    return process;
  }

  /** What is in the directory of uploads whose paths are given, also what should not be. */
  async filesOf(...paths: readonly string[]): Promise<string[]> {
    const ids = paths.map((path) => path.slice(path.lastIndexOf('/') + 1));
    const files = await listDirectory(this.directory);
    return files.filter((name) => ids.some((id) => name.includes(id)));
  }

  async kill(): Promise<void> {
    await Promise.all(this.processes.map(({ command }) => command.kill()));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A bed for the tests of a suite, which share it: to start a process takes longer than most of them. */
export function useBed(count: number, flags?: Flags): () => ProcessBed {
  let bed: ProcessBed | undefined;
  beforeAll(async () => {
    bed = await ProcessBed.start(count, flags);
  }, 60_000);
  afterAll(() => bed?.kill());
  return () => {
    if (bed === undefined) throw new Error('the processes run only while tests do');
    return bed;
  };
}

/** A bed for one test, which may end its processes. */
export async function ownBed(count: number, flags?: Flags): Promise<ProcessBed> {
  const bed = await ProcessBed.start(count, flags);
  onTestFinished(() => bed.kill());
  return bed;
}

/** The URL of an upload at a process. */
export function locationAt({ command }: BedProcess, path: string): string {
  return new URL(path, command.url).href;
}

function asProcess(command: RunningCommand): BedProcess {
  return { command, port: Number(new URL(command.url).port) };
}
