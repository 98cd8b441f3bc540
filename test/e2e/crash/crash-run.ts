import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../resume/random.js';
import { ServerProcess } from '../resume/server-process.js';
import type { Backend } from './backend.js';
import { checkEmpty, checkStorage } from './check-storage.js';
import { checkUploads, finishUploads } from './check-uploads.js';
import { type OperationName, work } from './client-work.js';
import { describeMoment, drawMoment, environmentOf, type Moment, stepCounter } from './moment.js';
import type { Workplace } from './operations.js';
import type { TrackedUpload } from './tracked-upload.js';
import { TusClient } from './tus-client.js';

export interface CrashRunOptions {
  readonly seed: number;
  readonly backend: Backend;
  /** More flags for the server. */
  readonly flags: readonly string[];
  readonly signal: AbortSignal;
}

export interface CrashRunResult {
  /** What was not as promised, in sentences. */
  readonly problems: readonly string[];
  readonly moments: readonly Moment[];
  /** What each client was at in those moments. */
  readonly hits: readonly OperationName[];
  readonly uploads: number;
  /** Methods and answers of the work before the crashes, and how often. */
  readonly answers: ReadonlyMap<string, number>;
}

/** A path from the folder of the package: this file is compiled into another. */
const killAtCall = 'test/e2e/crash/kill-at-call.mjs';
const clientCount = 4;
const basePath = '/files/';
/** How long a server may live on when all connections have broken, in milliseconds. */
const deathLimitMs = 5000;
/** How often the server sweeps where uploads expire. */
const sweepFlag = '-sweep-interval=20ms';
/** More uploads than a client makes. */
const numbersOfClient = 100_000;

/** One to three crashes on one directory or bucket: random work, a kill, a look at everything. Then all is finished. */
export async function crashRun(options: CrashRunOptions): Promise<CrashRunResult> {
  const run = new CrashRun(options);
  const kill = (): void => run.server?.kill();
  process.once('exit', kill);
  try {
    return await run.run();
  } finally {
    await run.server?.stop('SIGKILL');
    process.off('exit', kill);
  }
}

class CrashRun {
  server: ServerProcess | undefined;
  readonly #options: CrashRunOptions;
  readonly #random: Random;
  readonly #isMortal: boolean;
  readonly #problems: string[] = [];
  readonly #moments: Moment[] = [];
  readonly #hits: OperationName[] = [];
  readonly #answers = new Map<string, number>();
  readonly #uploadsOf: TrackedUpload[][] = Array.from({ length: clientCount }, () => []);

  constructor(options: CrashRunOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#isMortal = this.#random.below(3) === 0;
  }

  async run(): Promise<CrashRunResult> {
    for (let left = 1 + this.#random.below(3); left > 0; left -= 1) {
      await this.#crash(drawMoment(this.#random));
      // Sometimes the next crash comes before anybody has looked.
      if (left === 1 || this.#random.below(3) > 0) await this.#check();
    }
    await this.#finish();
    return {
      problems: this.#problems,
      moments: this.#moments,
      hits: this.#hits,
      uploads: this.#uploadsOf.flat().length,
      answers: this.#answers,
    };
  }

  async #crash(moment: Moment): Promise<void> {
    this.#moments.push(moment);
    const { length: problemsBefore } = this.#problems;
    const server = await this.#start(moment);
    const ended = server.ended();
    const sweeper = this.#isMortal ? this.#sweepBeside() : undefined;
    const step = stepCounter(moment, () => server.kill());
    const extensions = await this.#extensions(server);
    const clients = this.#uploadsOf.map(() => new TusClient(server.port ?? 0, step));
    const working = clients.map((client, index) => {
      const own = this.#uploadsOf[index] ?? [];
      return work(this.#place(client, extensions, index, moment), own);
    });
    this.#hits.push(...(await Promise.all(working)));
    for (const client of clients) {
      client.close();
      for (const [name, count] of client.answers) {
        this.#answers.set(name, (this.#answers.get(name) ?? 0) + count);
      }
    }
    sweeper?.kill('SIGKILL');
    const exit = await Promise.race([ended, sleep(deathLimitMs, undefined)]);
    if (exit === undefined) {
      this.#report('It broke off connections and lives on', moment);
      await server.stop('SIGKILL');
    } else if (exit.code !== null || this.#problems.length > problemsBefore) {
      this.#report(`It ended with ${exit.code}, and has said: ${exit.output}`, moment);
    }
  }

  async #check(): Promise<void> {
    const { backend } = this.#options;
    const moment = this.#moments.at(-1);
    const server = await this.#start();
    const client = new TusClient(server.port ?? 0, () => undefined);
    const place = this.#place(client, new Set(), 0, moment);
    await checkUploads(place, backend, this.#uploadsOf.flat());
    client.close();
    await server.stop('SIGKILL');
    for (const problem of await checkStorage(backend)) this.#report(problem, moment);
  }

  async #finish(): Promise<void> {
    const { backend } = this.#options;
    const server = await this.#start();
    const client = new TusClient(server.port ?? 0, () => undefined);
    const place = this.#place(client, new Set(), 0, undefined);
    await finishUploads(place, backend, this.#uploadsOf.flat());
    client.close();
    const exit = await server.stop('SIGTERM');
    if (exit?.code !== 0) this.#report(`SIGTERM: it ended with ${exit?.code}: ${exit?.output}`);
    for (const problem of await checkEmpty(backend)) this.#report(problem);
  }

  async #start(moment?: Moment): Promise<ServerProcess> {
    const { backend, signal } = this.#options;
    const server = new ServerProcess({
      command: [process.execPath, '--import', resolve(killAtCall), 'dist/cli/main.js'],
      uploadDir: backend.directory,
      // Who looks or finishes must find what is there.
      flags: [
        ...this.#flags(),
        ...(moment !== undefined && this.#isMortal ? this.#mortality() : []),
      ],
      environment: { ...backend.environment, ...environmentOf(moment) },
      onCrash: (exit) => this.#report(exit, moment),
    });
    this.server = server;
    await server.start(signal);
    return server;
  }

  /** `tuskd sweep`, at the same time. It dies with the server, if it lives so long. */
  #sweepBeside(): ChildProcess {
    const { directory, environment } = this.#options.backend;
    const flags = [`-upload-dir=${directory}`, ...this.#flags(), ...this.#mortality()];
    return spawn(process.execPath, ['dist/cli/main.js', 'sweep', ...flags], {
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    });
  }

  #mortality(): string[] {
    return [`-expire-after=${this.#options.backend.lifetimeMs}ms`, sweepFlag];
  }

  #flags(): string[] {
    return [...this.#options.backend.flags, ...this.#options.flags];
  }

  /** None where it is killed before it tells: its sweeper has work to do, too. */
  async #extensions(server: ServerProcess): Promise<ReadonlySet<string>> {
    const client = new TusClient(server.port ?? 0, () => undefined);
    const answer = await client.send('OPTIONS', basePath);
    client.close();
    return new Set(String(answer?.headers['tus-extension'] ?? '').split(','));
  }

  #place(
    client: TusClient,
    extensions: ReadonlySet<string>,
    index: number,
    moment: Moment | undefined,
  ): Workplace {
    const { seed, backend } = this.#options;
    const own = this.#uploadsOf[index] ?? [];
    return {
      client,
      random: new Random(this.#random.below(2 ** 32)),
      seed,
      basePath,
      maxSize: backend.maxSize,
      extensions,
      isMortal: this.#isMortal,
      report: (problem) => this.#report(problem, moment),
      add(draft, sourceOf) {
        const number = index * numbersOfClient + own.length;
        const upload: TrackedUpload = {
          ...draft,
          number,
          source: sourceOf(number),
          path: undefined,
          told: 0,
          sent: 0,
          gone: 'no',
          isNeeded: false,
        };
        own.push(upload);
        return upload;
      },
    };
  }

  #report(problem: string, moment?: Moment): void {
    const when = moment === undefined ? '' : ` (killed ${describeMoment(moment)})`;
    this.#problems.push(`${problem}${when}`);
  }
}
