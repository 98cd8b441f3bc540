import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { type AddressInfo, connect, isIPv6, type ListenOptions, type Server } from 'node:net';

/** What the kernel takes; Node cuts longer paths off without a word and listens somewhere else. */
const maxSocketPathBytes = process.platform === 'darwin' ? 103 : 107;

/** Listens on a TCP port, and resolves with the `HOST:PORT` that it really got. */
export async function listenOnPort(server: Server, host: string, port: number): Promise<string> {
  await listen(server, { host, port });
  const bound = server.address();
  return isAddressInfo(bound) ? formatAddress(bound.address, bound.port) : String(bound);
}

/** `HOST:PORT` as it stands in a URL. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Listens on a Unix socket. The file that a dead server left behind is replaced; a living one keeps its place. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (process.platform !== 'win32' && Buffer.byteLength(path) > maxSocketPathBytes) {
    throw new Error(`the path is longer than ${maxSocketPathBytes} bytes: ${path}`);
  }
  try {
    await listen(server, { path });
  } catch (error) {
    if (!(await isAbandonedSocket(path))) throw error;
    await unlink(path);
    await listen(server, { path });
  }
}

async function listen(server: Server, options: ListenOptions): Promise<void> {
  server.listen(options);
  // Rejects with the error event.
  await once(server, 'listening');
}

/** A socket file that nobody answers. The type is checked first: connecting to a plain file is refused as well. */
async function isAbandonedSocket(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats?.isSocket()) return false;
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
