import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const command = resolve(import.meta.dirname, '../../../../dist/cli/main.js');

/** The built command, on a port of its own. */
export class Tuskd {
  readonly #child: ChildProcess;
  /** Where uploads are created. */
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(flags: readonly string[]): Promise<Tuskd> {
    const args = [command, '-host=127.0.0.1', '-port=0', '-verbose=false', ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface(child.stdout);
    for await (const line of lines) {
      const [, url] = /^You can now upload files to: (\S+)$/.exec(line) ?? [];
      if (url === undefined) continue;
      child.stdout.resume();
      return new Tuskd(child, url);
    }
    throw new Error(`tuskd did not start: ${flags.join(' ')}`);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
