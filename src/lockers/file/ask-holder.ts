import { connect } from 'node:net';
import type { HolderAddress } from './lock-record.js';
import { readLine, type ReleaseAnswer } from './release-server.js';

/**
 * - `dead`: nobody listens there any more
 * - `missing`: the endpoint is gone, which proves nothing where a cleaner of old files may have taken it
 * - `unreachable`: it exists, but we cannot get through
 * - `closed`: the connection ended without an answer
 */
export type AskResult = ReleaseAnswer | 'dead' | 'missing' | 'unreachable' | 'closed';

/**
 * Asks the process at `holder`, on this host, to let go of `id`, and waits until it has. An empty ID asks only whether
 * it lives.
 * @throws the signal's reason
 */
export function askHolder(
  holder: HolderAddress,
  id: string,
  signal: AbortSignal,
): Promise<AskResult> {
  return new Promise((resolve, reject) => {
    // A process that died while we waited closes the connection, but so does one that lives and is out of file
    // descriptors (libuv accepts and closes then). Only a refused connection proves a death, and the next try gets it.
    let result: AskResult = 'closed';
    const socket = connect({ path: holder.endpoint });
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.on('connect', () => socket.write(`ask ${holder.nonce} ${id}\n`));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.syscall === 'connect') result = meaningOf(error);
    });
    socket.on('close', () => {
      signal.removeEventListener('abort', abort);
      resolve(result);
    });
    readLine(socket, (line) => {
      if (line === 'released' || line === 'free') result = line;
      socket.destroy();
    });
  });
}

function meaningOf(error: NodeJS.ErrnoException): AskResult {
  if (error.code === 'ECONNREFUSED') return 'dead';
  // It died while we connected. The next try is refused.
  if (error.code === 'ECONNRESET') return 'closed';
  // Windows removes the name of a pipe with its owner.
  if (error.code === 'ENOENT') return process.platform === 'win32' ? 'dead' : 'missing';
  return 'unreachable';
}
