import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Sees to it that a child dies with this process, however that comes about: a shell waits for the end of its input, which is
 * the end of this process.
 */
export function dieTogether(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const script = 'read -r _; kill -9 "$1"';
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.unref();
  child.once('exit', () => watcher.kill('SIGKILL'));
}
