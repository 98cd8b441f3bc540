import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

/**
 * Runs the suite on what a user installs: the packed package, installed by npm, with the tests added, and the scripts
 * that some of them are about. Tests that need more of this folder (the sources, say) fail here.
 */
function main(vitestArgs: readonly string[]): void {
  const scratch = mkdtempSync(join(tmpdir(), 'tuskd-packed-'));
  // Some tests run a server as somebody else, who has to get at it.
  chmodSync(scratch, 0o755);
  try {
    const npm = (...args: string[]): string =>
      execFileSync('npm', args, { cwd: scratch, encoding: 'utf8' }).trim();
    const tarball = npm('pack', '--ignore-scripts', '--silent', root);
    npm('install', '--offline', '--silent', join(scratch, tarball));
    const folder = join(scratch, 'tuskd');
    renameSync(join(scratch, 'node_modules/tuskd'), folder);
    for (const name of ['test', 'scripts', 'vitest.config.ts', 'tsconfig.json']) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...vitestArgs];
    const { status } = spawnSync(process.execPath, vitest, { cwd: folder, stdio: 'inherit' });
    process.exitCode = status ?? 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

main(process.argv.slice(2));
