import type { Server } from 'node:net';
import type { Logger } from '../core/logger.js';
import { corsWarning } from './cors-flags.js';
import { formatAddress, listenOnPort, listenOnSocket } from './listen.js';
import { checkLocker, lockerWarning } from './open-locker.js';
import { openLog } from './open-log.js';
import { type OpenedStore, openStore } from './open-store.js';
import type { ParsedFlags } from './parse-flags.js';
import type { Service } from './service.js';
import { shutDownOnSignal } from './shutdown.js';
import { startStep } from './start-error.js';
import { createUploadServer } from './upload-server.js';

/**
 * Runs the server that the flags describe; resolves once it listens.
 *
 * @throws StartError
 */
export async function serve(flags: ParsedFlags): Promise<void> {
  const { logger, output } = openLog(flags);
  const announce = (line: string): void => {
    if (flags.get('show-startup-logs')) output.write(`${line}\n`);
  };
  const basePath = flags.get('base-path');

  const opened = await openStore(flags, logger);
  await opened.prepare();
  await checkLocker(flags);
  announce(opened.announcement);
  for (const warning of [lockerWarning(flags), corsWarning(flags)]) {
    if (warning !== undefined) announce(warning);
  }
  announce(`Using ${basePath} as the base path.`);
  const service = await createService(flags, logger, opened);
  const { place, origin } = await listen(flags, service.listener);
  // Failing to accept one connection (no descriptors left, say) is no reason to end all the others.
  service.listener.on('error', (error) => logger.log('error', 'ListenerError', { error }));
  await service.start();
  announce(`Using ${place} to listen.`);
  shutDownOnSignal({ output, timeoutMs: flags.get('shutdown-timeout'), service });
  // Scripts wait for this line.
  if (origin !== undefined) announce(`You can now upload files to: ${origin}${basePath}`);
}

async function createService(
  flags: ParsedFlags,
  logger: Logger,
  opened: OpenedStore,
): Promise<Service> {
  if (flags.get('workers') > 1) {
    // Each worker has its own.
    opened.close();
    // One process alone does not pay for what it does not use.
    const { WorkerPool } = await import('./workers/worker-pool.js');
    return new WorkerPool({ count: flags.get('workers'), logger });
  }
  const { http, close } = await createUploadServer(flags, logger, opened, {
    sweeps: true,
    completesWaiting: true,
  });
  return { listener: http, start: async () => undefined, close, abandon: () => undefined };
}

interface Listening {
  readonly place: string;
  /** Where uploads can be sent; undefined for a Unix socket, which no URL can name. */
  readonly origin: string | undefined;
}

async function listen(flags: ParsedFlags, server: Server): Promise<Listening> {
  const socketPath = flags.get('unix-sock');
  if (socketPath !== '') {
    await startStep(`listen on ${socketPath}`, () => listenOnSocket(server, socketPath));
    return { place: `${socketPath} as socket`, origin: undefined };
  }
  const [host, port] = [flags.get('host'), flags.get('port')];
  const wished = formatAddress(host, port);
  const bound = await startStep(`listen on ${wished}`, () => listenOnPort(server, host, port));
  return { place: `${wished} as address`, origin: `http://${bound}` };
}
