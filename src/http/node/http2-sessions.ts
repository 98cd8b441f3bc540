import type { Http2SecureServer, Http2Server, ServerHttp2Session } from 'node:http2';
import { firstSettings, ReceiveWindows } from './receive-windows.js';

/** "2^31-1", in a GOAWAY that only tells a client to send no more: what it has sent meanwhile is answered. */
const everyStream = 2 ** 31 - 1;

/** The connections of HTTP/2 servers that a handler is attached to. */
export class Http2Sessions {
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #windows = new ReceiveWindows();

  /** @param idleMs how long a connection stays on which nothing happens */
  attach(server: Http2Server | Http2SecureServer, idleMs: number): void {
    server.updateSettings(firstSettings);
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      closeWhenIdle(session, idleMs);
      this.#windows.manage(session);
    });
  }

  /** Has clients make new connections for what they still want; what is being answered is answered. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }
}

/** Also one that has begun a request and never sends the rest of its headers: that is no stream yet, for `node:http2`. */
function closeWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  let streams = 0;
  let told = false;
  session.on('stream', (stream) => {
    streams += 1;
    stream.once('close', () => (streams -= 1));
  });
  session.setTimeout(idleMs);
  session.on('timeout', () => {
    // For each of them somebody keeps the time.
    if (streams > 0) return;
    if (told) return session.destroy();
    told = true;
    session.goaway(0, everyStream);
  });
}
