import { randomUUID } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the field `sun_path` holds everywhere, its final NUL aside; Node 20 cuts longer ones off without a word. */
const maxSocketPathLength = 103;

/**
 * Names the place where an endpoint can be reached and where "connection refused" proves a death. On Linux that is a
 * network namespace of one boot: abstract sockets of another container refuse too, though their owner lives.
 */
export async function hostIdentity(): Promise<string> {
  if (process.platform !== 'linux') return `${process.platform} ${hostname()}`;
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'latin1');
    return `${boot.trim()} ${await readlink('/proc/self/ns/net')}`;
  } catch {
    // Without /proc nobody can tell. A name of its own makes every other process a stranger, which is slow but safe.
    return randomUUID();
  }
}

/** A name for a local endpoint that nobody has or can guess. */
export function endpointName(nonce: string): string {
  // An abstract socket leaves nothing behind and has no permissions to get wrong.
  if (process.platform === 'linux') return `\0tuskd-${nonce}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\tuskd-${nonce}`;
  const path = join(tmpdir(), `tuskd-${nonce}`);
  return Buffer.byteLength(path) <= maxSocketPathLength ? path : `/tmp/tuskd-${nonce}`;
}
