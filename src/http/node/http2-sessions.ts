import type { Http2SecureServer, Http2Server, ServerHttp2Session } from 'node:http2';
import { firstSettings, manageReceiveWindow } from './receive-window.js';

/** The connections of HTTP/2 servers that a handler is attached to. */
export class Http2Sessions {
  readonly #sessions = new Set<ServerHttp2Session>();

  /** @param idleMs after which a connection on which nothing happens takes no more requests */
  attach(server: Http2Server | Http2SecureServer, idleMs: number): void {
    server.updateSettings(firstSettings);
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      session.setTimeout(idleMs);
      session.on('timeout', () => session.close());
      manageReceiveWindow(session);
    });
  }

  /** Has clients make new connections for what they still want; what is being answered is answered. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }
}
