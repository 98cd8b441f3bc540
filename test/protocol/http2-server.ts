import { once } from 'node:events';
import http2 from 'node:http2';
import {
  compose,
  createHandler,
  type DataStore,
  FileStore,
  type Handler,
  type HandlerOptions,
  MemoryLocker,
} from 'tuskd';
import { onTestFinished } from 'vitest';
import { selfSigned } from './self-signed.js';
import { temporaryDirectory } from './server.js';

export interface Http2ServerOptions extends Omit<HandlerOptions, 'backend'> {
  /** Puts something between the handler and the disk. */
  readonly wrapStore?: (store: DataStore) => DataStore;
  /** Encrypted, and for clients of HTTP/1.1 too. */
  readonly secure?: boolean;
}

export interface Http2TestServer {
  readonly port: number;
  readonly secure: boolean;
  readonly handler: Handler;
  readonly server: http2.Http2Server | http2.Http2SecureServer;
  /** Of clients that are connected. */
  readonly sessions: ReadonlySet<http2.ServerHttp2Session>;
  /** Streams that are open. */
  readonly streams: ReadonlySet<http2.ServerHttp2Stream>;
  /** Of streams and connections; `node:http2` keeps them from everybody who does not ask. */
  readonly errors: readonly Error[];
}

/** A handler in a server of `node:http2`, for the length of one test. */
export async function startHttp2Server({
  wrapStore,
  secure = false,
  ...options
}: Http2ServerOptions = {}): Promise<Http2TestServer> {
  const directory = await temporaryDirectory();
  const store = new FileStore({ directory });
  const backend = compose({ core: wrapStore?.(store) ?? store, locker: new MemoryLocker() });
  const handler = createHandler({ ...options, backend });
  const server = secure
    ? http2.createSecureServer({ ...selfSigned(directory), allowHTTP1: true }, handler)
    : http2.createServer(handler);
  handler.attach(server);
  const sessions = new Set<http2.ServerHttp2Session>();
  const streams = new Set<http2.ServerHttp2Stream>();
  server.on('session', (session: http2.ServerHttp2Session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  const errors: Error[] = [];
  server.on('sessionError', (error: Error) => void errors.push(error));
  server.on('stream', (stream: http2.ServerHttp2Stream) => {
    streams.add(stream);
    stream.on('error', (error) => void errors.push(error));
    stream.once('close', () => streams.delete(stream));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    await handler.close();
    server.close();
    for (const session of sessions) session.destroy();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return { port: address.port, secure, handler, server, sessions, streams, errors };
}
