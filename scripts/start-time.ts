import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = resolve(import.meta.dirname, '../../../dist');
const library = pathToFileURL(join(dist, 'index.js')).href;
const command = join(dist, 'cli/main.js');
const runs = 21;

const scratch = mkdtempSync(join(tmpdir(), 'tuskd-start-'));
const programs = {
  'Node.js alone': ['--input-type=module', '-e', 'console.log()'],
  "import 'tuskd'": ['--input-type=module', '-e', `import '${library}'; console.log()`],
  'tuskd -version': [command, '-version'],
  'tuskd, until it serves': [command, '-port=0', '-host=127.0.0.1', `-upload-dir=${scratch}`],
};

/** How long each program takes until it has printed its line: the least, which other load hardly touches, and the median. */
async function main(): Promise<void> {
  const times = new Map(Object.keys(programs).map((name) => [name, Array<number>()]));
  // In turns, so that what the machine does besides hits all alike.
  for (let run = 0; run < runs; run++) {
    for (const [name, args] of Object.entries(programs)) times.get(name)?.push(await time(args));
  }
  for (const [name, measured] of times) {
    const sorted = measured.toSorted((a, b) => a - b);
    const [least, median] = [sorted[0], sorted[Math.floor(runs / 2)]];
    console.log(`${name.padEnd(24)} ${least?.toFixed(0)} ms at least, ${median?.toFixed(0)} ms`);
  }
}

async function time(args: readonly string[]): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    output += String(chunk);
    if (!args.includes('-port=0') || output.includes('You can now upload')) break;
  }
  const taken = performance.now() - started;
  child.kill('SIGKILL');
  await exited;
  return taken;
}

try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
