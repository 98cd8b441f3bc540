import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import http from 'node:http';
import type https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  compose,
  createHandler,
  type DataStore,
  FileStore,
  type Handler,
  type HandlerOptions,
  type Locker,
  type LogFields,
  type Logger,
  type LogLevel,
  MemoryLocker,
} from 'tuskd';
import { onTestFinished } from 'vitest';

type AnyServer = http.Server | https.Server;

export interface ServerOptions extends Omit<HandlerOptions, 'backend'> {
  /** Made and removed by the test server where none is given. */
  readonly directory?: string;
  /** Puts something between the handler and the disk. */
  readonly wrapStore?: (store: DataStore) => DataStore;
  /** A locker of memory by default. */
  readonly locker?: Locker | ((directory: string) => Locker);
  /** Where the handler is mounted; a plain server of its own by default. */
  readonly mount?: (handler: Handler) => AnyServer | Promise<AnyServer>;
  readonly serverOptions?: http.ServerOptions;
  /** Whether `handler.attach(server)` is called; true by default. */
  readonly attach?: boolean;
}

export interface LogEntry {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

export interface TestServer {
  readonly port: number;
  readonly directory: string;
  readonly handler: Handler;
  readonly server: AnyServer;
  /** Everything logged so far, at every level. */
  readonly log: readonly LogEntry[];
  /** Everything in the upload directory, sorted; folders end with a slash. */
  files(): Promise<string[]>;
  /** Ends everything; comes by itself at the end of the test. */
  close(): Promise<void>;
}

/** A handler over a directory on a real socket, for the length of one test. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const {
    directory: given,
    wrapStore,
    locker: givenLocker,
    mount,
    serverOptions,
    attach,
    ...rest
  } = options;
  const directory = given ?? (await temporaryDirectory());
  const locker: Locker =
    typeof givenLocker === 'function'
      ? givenLocker(directory)
      : (givenLocker ?? new MemoryLocker());
  const log: LogEntry[] = [];
  const plainStore = new FileStore({ directory });
  const handler = createHandler({
    logger: recordingLogger(log),
    ...rest,
    backend: compose({
      core: wrapStore?.(plainStore) ?? plainStore,
      locker,
    }),
  });
  const server = (await mount?.(handler)) ?? http.createServer(serverOptions ?? {}, handler);
  if (attach ?? true) handler.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    await handler.close();
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    await locker.close?.();
  };
  onTestFinished(close);
  return {
    port: portOf(server),
    directory,
    handler,
    server,
    log,
    files: () => listDirectory(directory),
    close,
  };
}

/** A directory that goes with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Everything below a directory, sorted; folders end with a slash. */
async function listDirectory(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name).slice(directory.length + 1);
      return entry.isDirectory() ? `${path}/` : path;
    })
    .sort();
}

function portOf(server: AnyServer): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

function recordingLogger(log: LogEntry[]): Logger {
  return {
    enabled: () => true,
    log: (level, event, fields = {}) => void log.push({ level, event, fields }),
  };
}
