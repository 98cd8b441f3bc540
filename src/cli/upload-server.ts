import type { Server } from 'node:http';
import { compose } from '../core/compose.js';
import type { Logger } from '../core/logger.js';
import { createHandler } from '../http/create-handler.js';
import type { HandlerOptions } from '../http/handler-options.js';
import { corsOptions } from './cors-flags.js';
import { withGreeting } from './greeting.js';
import { createHttpServer } from './http-server.js';
import { openLocker } from './open-locker.js';
import type { OpenedStore } from './open-store.js';
import type { ParsedFlags } from './parse-flags.js';

/** All that serves uploads in one process, but for the listening. */
export interface UploadServer {
  readonly http: Server;
  /** Interrupts what is being received and resolves when all is stored, answered and closed. */
  readonly close: () => Promise<void>;
}

/**
 * Makes the server that the flags describe.
 * @param sweeps whether this process is the one that sweeps: of several workers, one is enough
 */
export async function createUploadServer(
  flags: ParsedFlags,
  logger: Logger,
  opened: OpenedStore,
  { sweeps }: { readonly sweeps: boolean },
): Promise<UploadServer> {
  const locker = await openLocker(flags, logger);
  const basePath = flags.get('base-path');
  const handler = createHandler({
    ...handlerFlags(flags),
    ...uploadFlags(flags),
    ...(sweeps && sweepFlags(flags)),
    backend: compose({ core: opened.store, locker }),
    basePath,
    logger,
  });
  const greets = flags.get('show-greeting') && basePath !== '/';
  const http = createHttpServer(greets ? withGreeting(handler, basePath) : handler);
  handler.attach(http.server);
  if (sweeps) void handler.completeWaiting();
  return {
    http: http.server,
    close: async () => {
      const closed = http.close();
      await handler.close();
      await closed;
      await locker.close?.();
      opened.close();
    },
  };
}

/** What becomes of uploads, whether a client asks for them or a sweep. */
export function uploadFlags(
  flags: ParsedFlags,
): Pick<HandlerOptions, 'maxSize' | 'removeParts' | 'expireAfterMs' | 'expiry'> {
  const [maxSize, expireAfterMs] = [flags.get('max-size'), flags.get('expire-after')];
  return {
    ...(maxSize > 0 && { maxSize }),
    ...(expireAfterMs > 0 && { expireAfterMs, expiry: flags.get('expiry') }),
    removeParts: flags.get('remove-parts'),
  };
}

function sweepFlags(flags: ParsedFlags): Pick<HandlerOptions, 'sweepIntervalMs'> | undefined {
  const sweepIntervalMs = flags.get('sweep-interval');
  return sweepIntervalMs > 0 && flags.get('expire-after') > 0 ? { sweepIntervalMs } : undefined;
}

type HandlerFlags = Omit<HandlerOptions, 'backend' | 'basePath' | 'logger' | 'hooks'>;

function handlerFlags(flags: ParsedFlags): HandlerFlags {
  return {
    disableDownload: flags.get('disable-download'),
    cors: corsOptions(flags),
    disableCors: flags.get('disable-cors'),
    behindProxy: flags.get('behind-proxy'),
    disableExtensions: [
      ...(flags.get('disable-termination') ? (['termination'] as const) : []),
      ...(flags.get('disable-concatenation') ? (['concatenation'] as const) : []),
    ],
    networkTimeoutMs: flags.get('network-timeout'),
    acquireLockTimeoutMs: flags.get('acquire-lock-timeout'),
    requestCompletionTimeoutMs: flags.get('request-completion-timeout'),
  };
}
