import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
/** The oldest that `engines` allows, and the newest of each line that is maintained. */
const versions = ['20.19.0', '22', '24', '26'];

interface Outcome {
  readonly node: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly exitCode: number | null;
}

/** Runs the suite on every Node, or on those whose versions were given. The package is built already. */
function main(asked: readonly string[]): void {
  const chosen = versions.filter((version) => asked.length === 0 || asked.includes(version));
  if (chosen.length === 0) throw new Error(`${asked.join(', ')} is none of ${versions.join(', ')}`);
  const outcomes = chosen.map((version) => runSuite(findNode(version)));
  console.table(outcomes);
  process.exitCode = outcomes.every(({ exitCode }) => exitCode === 0) ? 0 : 1;
}

/** The Node of that version, out of the npm package `node`. */
function findNode(version: string): string {
  // Not in the user's own cache: some tests run Node as somebody else, who has to get at it.
  const cache = join(root, 'node_modules/.cache/nodes');
  const install = ['--yes', `--cache=${cache}`, `--package=node@${version}`];
  const command = ['exec', ...install, '--', 'node', '-p'];
  const script = 'JSON.stringify([process.versions.node, process.execPath])';
  const answer = execFileSync('npm', [...command, script], { cwd: tmpdir(), encoding: 'utf8' });
  const [found, path]: [string, string] = JSON.parse(answer);
  // Where install scripts are off, the package has no Node in it, and this one answers instead.
  if (!`${found}.`.startsWith(`${version}.`)) {
    throw new Error(`The package node@${version} has Node ${found}: it needs its install script`);
  }
  return path;
}

function runSuite(node: string): Outcome {
  const scratch = mkdtempSync(join(tmpdir(), 'tuskd-nodes-'));
  const report = join(scratch, 'report.json');
  const started = performance.now();
  try {
    const { status } = spawnSync(
      node,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ],
      {
        cwd: root,
        stdio: 'inherit',
        // For what tests start by name: npm, node.
        env: { ...process.env, PATH: [dirname(node), process.env['PATH']].join(delimiter) },
      },
    );
    const counts: { numPassedTests: number; numFailedTests: number; numPendingTests: number } =
      JSON.parse(readFileSync(report, 'utf8'));
    return {
      node: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
      passed: counts.numPassedTests,
      failed: counts.numFailedTests,
      skipped: counts.numPendingTests,
      seconds: Math.round((performance.now() - started) / 1000),
      exitCode: status,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

main(process.argv.slice(2));
