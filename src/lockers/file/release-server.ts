import { createServer, type Server, type Socket } from 'node:net';

/** Longest line read from a socket, in bytes: an ID has at most 1024 characters. */
const maxLineLength = 8 * 1024;

/** What a holder answers: it has let go, or there was nothing to let go. */
export type ReleaseAnswer = 'released' | 'free';

/** Decides what to answer to a wish for `id`; `signal` fires when nobody waits for the answer any more. */
export type AskHandler = (id: string, signal: AbortSignal) => Promise<ReleaseAnswer>;

/**
 * Listens for those who want a lock of this process. One connection is one wish: `ask NONCE ID`, answered by one line
 * when the lock has been let go. A process that dies closes its connections, so waiting on one also tells of a death.
 */
export class ReleaseServer {
  readonly #nonce: string;
  readonly #onAsk: AskHandler;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(nonce: string, onAsk: AskHandler) {
    this.#nonce = nonce;
    this.#onAsk = onAsk;
  }

  listen(path: string): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    // Waiting for wishes is no reason for a process to live on.
    server.unref();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        // A failed accept (no descriptors left) concerns the one who asked; he sees it and tries again.
        server.on('error', () => undefined);
        resolve();
      });
      // In a cluster the primary would listen for its workers, and would go on when they die.
      server.listen({ path, exclusive: true });
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => {
      if (this.#server === undefined) resolve();
      else this.#server.close(() => resolve());
    });
  }

  #serve(socket: Socket): void {
    const gone = new AbortController();
    socket.unref();
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      gone.abort();
    });
    readLine(socket, (line) => {
      const [verb, nonce, id = ''] = line.split(' ');
      // The names of abstract sockets are public (/proc/net/unix). Only those who know the nonce, because they may
      // read the upload directory, can interrupt an upload.
      if (verb !== 'ask' || nonce !== this.#nonce) {
        socket.destroy();
        return;
      }
      this.#onAsk(id, gone.signal).then(
        (answer) => socket.end(`${answer}\n`),
        () => socket.destroy(),
      );
    });
  }
}

/** Calls `onLine` with the first line that arrives; destroys the socket if it is too long. */
export function readLine(socket: Socket, onLine: (line: string) => void): void {
  let text = '';
  const onData = (chunk: string): void => {
    text += chunk;
    const end = text.indexOf('\n');
    if (end === -1 && text.length <= maxLineLength) return;
    // Whatever follows is thrown away, so that the end of the connection is still noticed.
    socket.off('data', onData).resume();
    if (end === -1) socket.destroy();
    else onLine(text.slice(0, end));
  };
  socket.setEncoding('latin1').on('data', onData);
}
