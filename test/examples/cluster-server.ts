import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect } from 'vitest';
import { dieTogether } from '../services/die-together.js';

const script = resolve(import.meta.dirname, '../../examples/cluster/server.sh');
const startMs = 15_000;
/** Far beyond lease, health checks and retries, in milliseconds. */
export const eventMs = 25_000;

/** One tuskd of `examples/cluster`, started by its script. What it does is read from its log. */
export class ClusterServer {
  readonly #port: number;
  readonly #env: Readonly<Record<string, string>>;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  /** All that it has said, in all its lives. */
  #output = '';
  /** Where the log of its present life begins. */
  #born = 0;

  constructor(port: number, env: Readonly<Record<string, string>>, flags: readonly string[] = []) {
    this.#port = port;
    this.#env = env;
    this.#flags = flags;
  }

  async start(): Promise<void> {
    const from = this.mark;
    this.#born = from;
    const child = spawn('sh', [script, String(this.#port), ...this.#flags], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    dieTogether(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    this.#child = child;
    this.#closed = once(child, 'close');
    const said = (): string => this.#output.slice(from);
    await expect.poll(said, { timeout: startMs }).toContain('You can now upload');
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#closed;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Where its log ends now. */
  get mark(): number {
    return this.#output.length;
  }

  /** Fields of its log's lines of an event from a mark on, in their order. */
  events(name: string, from = 0): readonly LogFields[] {
    return Array.from(
      this.#output.slice(from).matchAll(/^.* event=(\w+) (.*)$/gm),
      ([, event, fields = '']) => ({ event, fields }),
    ).flatMap(({ event, fields }) => (event === name ? [parseFields(fields)] : []));
  }

  /** Uploads to which it is writing at this moment, or was when it died. */
  get writing(): readonly string[] {
    const open = this.#idsOf('ChunkWriteStart', this.#born);
    for (const id of this.#idsOf('ChunkWriteComplete', this.#born)) {
      open.splice(open.indexOf(id), 1);
    }
    return open;
  }

  /** Waits until it is writing to some upload. */
  async untilWriting(): Promise<readonly string[]> {
    await expect.poll(() => this.writing, { timeout: eventMs }).not.toEqual([]);
    return this.writing;
  }

  /** Waits until it has begun to write to some upload. */
  async untilServing(from: number): Promise<void> {
    await expect
      .poll(() => this.#idsOf('ChunkWriteStart', from), { timeout: eventMs })
      .not.toEqual([]);
  }

  /** Waits until it has begun to write to all of these. */
  async untilBegun(ids: readonly string[], from: number): Promise<void> {
    await expect
      .poll(() => this.#idsOf('ChunkWriteStart', from), { timeout: eventMs })
      .toEqual(expect.arrayContaining([...ids]));
  }

  /** Uploads whose locks it has found lost while it was writing. */
  lost(from: number): readonly string[] {
    const ends = this.events('BodyReadError', from);
    return ends.flatMap(({ id = '', error }) => (error === 'ERR_LOCK_LOST' ? [id] : []));
  }

  /** Uploads to which it has begun to write. */
  get served(): readonly string[] {
    return this.#idsOf('ChunkWriteStart', 0);
  }

  /** Bytes of an upload that it has stored, as far as it lived to tell. */
  bytesWritten(id: string): number {
    return this.events('ChunkWriteComplete')
      .filter((fields) => fields['id'] === id)
      .reduce((sum, fields) => sum + Number(fields['bytesWritten']), 0);
  }

  #idsOf(event: string, from: number): string[] {
    return this.events(event, from).map(({ id = '' }) => id);
  }
}

type LogFields = Readonly<Record<string, string>>;

function parseFields(text: string): LogFields {
  return Object.fromEntries(
    Array.from(text.matchAll(/(\w+)=("[^"]*"|\S*)/g), ([, name, value]) => [name, value]),
  );
}
