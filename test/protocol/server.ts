import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  compose,
  createHandler,
  FileLocker,
  FileStore,
  type Handler,
  type HandlerOptions,
  type Locker,
  type Logger,
  MemoryLocker,
} from 'tuskd';
import { inject, onTestFinished } from 'vitest';
import { honoServer } from '../runtimes/hono-server.js';
import { http2Server } from '../runtimes/http2-server.js';
import { startRemoteServer } from '../runtimes/remote-server.js';
import { isRemote, type LocalRuntime } from '../runtimes/runtimes.js';
import { skipWhatDiffers } from '../runtimes/skip-what-differs.js';
import { listDirectory } from './list-directory.js';
import type { LogEntry, ServerOptions, TestServer } from './test-server.js';

export type { TestServer } from './test-server.js';

/**
 * A handler over a directory on a real socket, for the length of one test: on the runtime that the project of
 * vitest.config.ts says. Skips the test where that cannot do what is asked of it, with the reason.
 */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const runtime = inject('runtime');
  skipWhatDiffers(runtime);
  const directory = options.directory ?? (await temporaryDirectory());
  const server = isRemote(runtime)
    ? await startRemoteServer(directory, options)
    : await startServerHere(runtime, directory, options);
  onTestFinished(() => server.close());
  return server;
}

async function startServerHere(
  runtime: LocalRuntime,
  directory: string,
  options: ServerOptions,
): Promise<TestServer> {
  const { directory: _, wrapStore, locker: given, mount, serverOptions, attach, ...rest } = options;
  const locker = makeLocker(given, directory);
  const log: LogEntry[] = [];
  const plainStore = new FileStore({ directory });
  const handlerOptions: HandlerOptions = {
    logger: recordingLogger(log),
    ...rest,
    backend: compose({ core: wrapStore?.(plainStore) ?? plainStore, locker }),
  };
  const { handler, server } = await makeServer(runtime, handlerOptions, options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    directory,
    handler,
    server,
    log,
    files: () => listDirectory(directory),
    close: async () => {
      await handler.close();
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await locker.close?.();
    },
  };
}

function makeLocker(given: ServerOptions['locker'], directory: string): Locker {
  if (typeof given === 'object') return given;
  if (typeof given === 'function') return given(directory);
  return given === 'files' ? new FileLocker({ directory }) : new MemoryLocker();
}

async function makeServer(
  runtime: LocalRuntime,
  handlerOptions: HandlerOptions,
  options: ServerOptions,
): Promise<{ handler: TestServer['handler']; server: http.Server | https.Server }> {
  switch (runtime) {
    case 'node':
      return nodeServer(handlerOptions, options);
    case 'http2':
      return http2Server(handlerOptions, options.serverOptions);
    case 'hono':
      return honoServer(handlerOptions, options.serverOptions);
  }
}

async function nodeServer(
  handlerOptions: HandlerOptions,
  { mount, serverOptions = {}, attach = true }: ServerOptions,
): Promise<{ handler: Handler; server: http.Server | https.Server }> {
  const handler = createHandler(handlerOptions);
  const server = (await mount?.(handler)) ?? http.createServer(serverOptions, handler);
  if (attach) handler.attach(server);
  return { handler, server };
}

/** A directory that goes with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

function portOf(server: http.Server | https.Server): number {
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
