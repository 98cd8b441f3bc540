import { listDirectory } from '../protocol/list-directory.js';
import type { CommandOptions, RunningCommand, startCommand } from './command-helper.js';

type Start = typeof startCommand;

/** One of several processes. Helpers that talk to a server of `test/protocol/` take it for one. */
export interface BedProcess {
  readonly command: RunningCommand;
  readonly port: number;
}

/** Commands that know of each other by nothing but their upload directory. The path of an upload is the same at each. */
export class ProcessBed {
  readonly directory: string;
  readonly processes: readonly [BedProcess, BedProcess, ...BedProcess[]];
  readonly #start: () => Promise<BedProcess>;

  private constructor(
    directory: string,
    processes: ProcessBed['processes'],
    start: () => Promise<BedProcess>,
  ) {
    this.directory = directory;
    this.processes = processes;
    this.#start = start;
  }

  /** Starts so many; `start` is that of `useCommands`, which ends them. */
  static async start(
    start: Start,
    count: number,
    args: CommandOptions['args'] = [],
  ): Promise<ProcessBed> {
    const first = await start({ args });
    const { directory } = first;
    const startOne = async () => asProcess(await start({ args, directory }));
    const [second, ...others] = await Promise.all(Array.from({ length: count - 1 }, startOne));
    if (second === undefined) throw new Error('one process is no bed');
    return new ProcessBed(directory, [asProcess(first), second, ...others], startOne);
  }

  /** The last of them: of two, the second. */
  get last(): BedProcess {
    return this.processes.at(-1) ?? this.processes[1];
  }

  /** Does the same at all of them at once. */
  onAll<Result>(
    action: (process: BedProcess, index: number) => Promise<Result>,
  ): Promise<Result[]> {
    return Promise.all(this.processes.map(action));
  }

  /** One more, as after a restart. */
  startAnother(): Promise<BedProcess> {
    return this.#start();
  }

  /** What is in the directory, without what the lockers keep there for themselves while they run. */
  async files(): Promise<string[]> {
    return (await listDirectory(this.directory)).filter((name) => !name.startsWith('.tuskd'));
  }
}

/** The URL of an upload at a process. */
export function locationAt({ command }: BedProcess, path: string): string {
  return new URL(path, command.url).href;
}

function asProcess(command: RunningCommand): BedProcess {
  return { command, port: Number(new URL(command.url).port) };
}
