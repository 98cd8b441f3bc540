import type { Server } from 'node:http';
import { compose } from '../core/compose.js';
import { createHandler } from '../http/create-handler.js';
import type { HandlerOptions } from '../http/handler-options.js';
import { FileLocker } from '../lockers/file/file-locker.js';
import { FileStore } from '../stores/file/file-store.js';
import { withGreeting } from './greeting.js';
import { createHttpServer } from './http-server.js';
import { formatAddress, listenOnPort, listenOnSocket } from './listen.js';
import { openLog } from './open-log.js';
import type { ParsedFlags } from './parse-flags.js';
import { shutDownOnSignal } from './shutdown.js';
import { startStep } from './start-error.js';

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

  const { store, locker } = await openDisk(flags, announce);
  const basePath = flags.get('base-path');
  const handler = createHandler({
    ...handlerFlags(flags),
    backend: compose({ core: store, locker }),
    basePath,
    logger,
  });
  const greets = flags.get('show-greeting') && basePath !== '/';
  const http = createHttpServer(greets ? withGreeting(handler, basePath) : handler);
  handler.attach(http.server);

  announce(`Using ${basePath} as the base path.`);
  const url = await listen(flags, http.server, announce);
  // Failing to accept one connection (no descriptors left, say) is no reason to end all the others.
  http.server.on('error', (error) => logger.log('error', 'ListenerError', { error }));
  shutDownOnSignal({
    output,
    timeoutMs: flags.get('shutdown-timeout'),
    close: async () => {
      const closed = http.close();
      await handler.close();
      await closed;
      await locker.close();
    },
  });
  // Scripts wait for this line.
  if (url !== undefined) announce(`You can now upload files to: ${url}${basePath}`);
}

type Announce = (line: string) => void;

async function openDisk(
  flags: ParsedFlags,
  announce: Announce,
): Promise<{ store: FileStore; locker: FileLocker }> {
  const directory = flags.get('upload-dir');
  const permissions = { dirPerms: flags.get('dir-perms'), filePerms: flags.get('file-perms') };
  const store = new FileStore({ directory, fsync: flags.get('fsync'), ...permissions });
  const locker = new FileLocker({
    directory,
    holderPollIntervalMs: flags.get('filelock-holder-poll-interval'),
    acquirerPollIntervalMs: flags.get('filelock-acquirer-poll-interval'),
    ...permissions,
  });
  await startStep(`use ${directory} as the upload directory`, () => store.prepare());
  announce(`Using '${directory}' as directory storage.`);
  return { store, locker };
}

type HandlerFlags = Omit<HandlerOptions, 'backend' | 'basePath' | 'logger' | 'hooks'>;

function handlerFlags(flags: ParsedFlags): HandlerFlags {
  const maxSize = flags.get('max-size');
  return {
    ...(maxSize > 0 && { maxSize }),
    disableDownload: flags.get('disable-download'),
    disableCors: flags.get('disable-cors'),
    behindProxy: flags.get('behind-proxy'),
    disableExtensions: flags.get('disable-termination') ? ['termination'] : [],
    networkTimeoutMs: flags.get('network-timeout'),
    acquireLockTimeoutMs: flags.get('acquire-lock-timeout'),
    requestCompletionTimeoutMs: flags.get('request-completion-timeout'),
  };
}

/** Where uploads can be sent: an origin; undefined for a Unix socket, which no URL can name. */
async function listen(
  flags: ParsedFlags,
  server: Server,
  announce: Announce,
): Promise<string | undefined> {
  const socketPath = flags.get('unix-sock');
  if (socketPath !== '') {
    await startStep(`listen on ${socketPath}`, () => listenOnSocket(server, socketPath));
    announce(`Using ${socketPath} as socket to listen.`);
    return undefined;
  }
  const [host, port] = [flags.get('host'), flags.get('port')];
  const wished = formatAddress(host, port);
  const bound = await startStep(`listen on ${wished}`, () => listenOnPort(server, host, port));
  announce(`Using ${wished} as address to listen.`);
  return `http://${bound}`;
}
