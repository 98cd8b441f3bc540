import type { Http2Stream, ServerHttp2Session } from 'node:http2';

const KiB = 1024;
const MiB = 1024 * KiB;

/** NGHTTP2_ENHANCE_YOUR_CALM */
const enhanceYourCalm = 11;

/**
 * Bytes that a client may send before anybody has read them, of all bodies of a connection. Of one alone it is more than
 * twice what Linux by default lets a TCP connection have under way (6 MiB), and `node:http2` tells of what was read once it is
 * half of the window: so TCP sets the pace, as over HTTP/1.1. With the 64 KiB that `node:http2` has by default, no upload is faster
 * than 64 KiB in a round trip.
 */
const ofConnection = 16 * MiB;

/** Of all bodies of a server: where the store is slower than the clients, their windows are full, and this is the price. */
const ofServer = 256 * MiB;

/** Of one body, however many there are: the default of the protocol. */
const narrowest = 64 * KiB;

/**
 * What one connection may have at the very most. A client that keeps to the protocol has `ofConnection`, and what was on its
 * way when its windows were made narrower; more has only one that does not acknowledge that.
 */
const bearable = 64 * MiB;
const watchMs = 100;

/** What a server tells its clients at the beginning. */
export const firstSettings = {
  initialWindowSize: ofConnection,
  // About what servers have agreed upon. A stream that waits for something costs little more than a connection would.
  maxConcurrentStreams: 128,
};

/**
 * Keeps windows as wide as uploads need and as narrow as memory wants: `node:http2` can only set one width for all streams
 * of a session, and counts a byte of a connection as read once it has arrived.
 */
export class ReceiveWindows {
  readonly #sessions = new Set<SessionWindow>();
  #bodies = 0;

  manage(session: ServerHttp2Session): void {
    const window = new SessionWindow(session, (change) => this.#onBodies(change));
    this.#sessions.add(window);
    session.once('close', () => this.#sessions.delete(window));
    window.adapt(this.#bodies);
  }

  #onBodies(change: number): number {
    const before = share(ofServer, this.#bodies);
    this.#bodies += change;
    if (share(ofServer, this.#bodies) !== before) {
      for (const window of this.#sessions) window.adapt(this.#bodies);
    }
    return this.#bodies;
  }
}

class SessionWindow {
  readonly #session: ServerHttp2Session;
  readonly #bodies = new Set<Http2Stream>();
  /** Of the whole server, when it was last told. */
  #others = 0;
  #width = ofConnection;
  #watch: NodeJS.Timeout | undefined;

  /** @param onBodies told that bodies have come or gone; tells how many the server has */
  constructor(session: ServerHttp2Session, onBodies: (change: number) => number) {
    this.#session = session;
    session.setLocalWindowSize(ofConnection);
    session.on('localSettings', () => this.adapt(this.#others));
    session.once('close', () => clearInterval(this.#watch));
    session.on('stream', (stream) => {
      if (stream.endAfterHeaders) return;
      const onEnd = (): void => {
        if (this.#bodies.delete(stream)) this.adapt(onBodies(-1));
      };
      this.#bodies.add(stream);
      stream.once('end', onEnd).once('close', onEnd);
      this.adapt(onBodies(1));
    });
  }

  /** Narrower as soon as it has to be; wider only once it can stay so when as many come again. */
  adapt(bodiesOfServer: number): void {
    this.#others = bodiesOfServer;
    const session = this.#session;
    // Comes again with the acknowledgement.
    if (session.closed || session.destroyed || session.pendingSettingsAck) return;
    clearInterval(this.#watch);
    const now = this.#widthFor(1);
    const next = now < this.#width ? now : Math.max(this.#width, this.#widthFor(2));
    if (next === this.#width) return;
    if (next < this.#width) this.#watch = setInterval(() => this.#check(), watchMs).unref();
    this.#width = next;
    session.settings({ initialWindowSize: next });
  }

  /** @param times how many times as many bodies as there are */
  #widthFor(times: number): number {
    return Math.min(
      share(ofConnection, times * this.#bodies.size),
      share(ofServer, times * this.#others),
    );
  }

  #check(): void {
    let unread = 0;
    for (const body of this.#bodies) unread += body.readableLength;
    if (unread > bearable) this.#session.destroy(undefined, enhanceYourCalm);
  }
}

/** Halved and halved again, so that few bodies more or less change nothing. */
function share(bytes: number, bodies: number): number {
  return Math.max(narrowest, bytes / 2 ** Math.ceil(Math.log2(Math.max(bodies, 1))));
}
