import type { Http2Stream, ServerHttp2Session } from 'node:http2';

const KiB = 1024;
const MiB = 1024 * KiB;

/** NGHTTP2_ENHANCE_YOUR_CALM */
const enhanceYourCalm = 11;

/**
 * Bytes that a client may send of one body before anybody has read them: more than the receive buffer that Linux gives a TCP
 * connection by default (6 MiB), so that TCP sets the pace, as it does over HTTP/1.1. With the 64 KiB of `node:http2`, no
 * upload is faster than 64 KiB in a round trip.
 */
const widest = 8 * MiB;

/**
 * Bytes that all bodies of a connection may have unread. Each has a part of this window: with a hundred uploads on one
 * connection, that is 128 KiB for each, not 8 MiB.
 */
const shared = 16 * MiB;

/**
 * What one connection may have at the very most. A client that keeps to the protocol has at most `shared`, and what was on
 * its way when its windows were made smaller; more has only one that does not acknowledge that.
 */
const bearable = 64 * MiB;
const watchMs = 100;

/** What a server tells its clients at the beginning. */
export const firstSettings = {
  initialWindowSize: widest,
  // What browsers ask for, and servers have agreed upon. A stream that waits for something costs little more than a
  // connection would.
  maxConcurrentStreams: 128,
};

/**
 * Keeps the windows of a session as wide as uploads need and as narrow as memory wants: `node:http2` can only set one width
 * for all streams of a session, and counts a byte as received, whether anybody has read it or not.
 */
export function manageReceiveWindow(session: ServerHttp2Session): void {
  const bodies = new Set<Http2Stream>();
  let width = widest;
  let watch: NodeJS.Timeout | undefined;

  function adapt(): void {
    // Comes again with the acknowledgement.
    if (session.closed || session.destroyed || session.pendingSettingsAck) return;
    clearInterval(watch);
    const next = nextWidth(width, bodies.size);
    if (next === width) return;
    if (next < width) watch = setInterval(check, watchMs).unref();
    width = next;
    session.settings({ initialWindowSize: width });
  }

  function check(): void {
    let unread = 0;
    for (const body of bodies) unread += body.readableLength;
    if (unread > bearable) session.destroy(undefined, enhanceYourCalm);
  }

  session.setLocalWindowSize(shared);
  session.on('stream', (stream) => {
    if (stream.endAfterHeaders) return;
    const onEnd = (): void => {
      if (bodies.delete(stream)) adapt();
    };
    bodies.add(stream);
    stream.once('end', onEnd).once('close', onEnd);
    adapt();
  });
  session.on('localSettings', adapt);
  session.once('close', () => clearInterval(watch));
}

/** Narrower as soon as it has to be; wider only once it can stay so when as many come again. */
function nextWidth(width: number, bodies: number): number {
  const now = widthFor(bodies);
  return now < width ? now : Math.max(width, widthFor(2 * bodies));
}

function widthFor(bodies: number): number {
  return Math.min(widest, shared / 2 ** Math.ceil(Math.log2(Math.max(bodies, 1))));
}
