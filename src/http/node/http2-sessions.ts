import type { Http2SecureServer, Http2Server, ServerHttp2Session } from 'node:http2';
import { firstSettings, manageReceiveWindow } from './receive-window.js';

/** "2^31-1", in a GOAWAY that only tells a client to send no more: what it has sent meanwhile is answered. */
const everyStream = 2 ** 31 - 1;

/** The connections of HTTP/2 servers that a handler is attached to. */
export class Http2Sessions {
  readonly #sessions = new Set<ServerHttp2Session>();

  /** @param idleMs how long a connection stays on which nothing happens */
  attach(server: Http2Server | Http2SecureServer, idleMs: number): void {
    server.updateSettings(firstSettings);
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      closeWhenIdle(session, idleMs);
      manageReceiveWindow(session);
    });
  }

  /** Has clients make new connections for what they still want; what is being answered is answered. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }
}

function closeWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  session.setTimeout(idleMs);
  session.once('timeout', () => {
    session.goaway(0, everyStream);
    session.on('timeout', () => session.close());
  });
}
