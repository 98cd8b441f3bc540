import type http from 'node:http';
import type http2 from 'node:http2';
import type https from 'node:https';
import type { Readable } from 'node:stream';

/** A request of `node:http`, or one of `node:http2` that looks like it. */
export type NodeRequest = http.IncomingMessage | http2.Http2ServerRequest;
export type NodeResponse = http.ServerResponse | http2.Http2ServerResponse;
export type NodeServer = http.Server | https.Server | http2.Http2Server | http2.Http2SecureServer;

/** `node:http2` itself is not imported: who has HTTP/1.1 alone is not to load it. */
export function isHttp2(request: NodeRequest): request is http2.Http2ServerRequest {
  return request.httpVersionMajor === 2;
}

export function isHttp2Server(
  server: NodeServer,
): server is http2.Http2Server | http2.Http2SecureServer {
  return 'updateSettings' in server;
}

/**
 * What the bytes of a request are read from. Over HTTP/2 it is the stream behind it, from which the request would take
 * them only to keep them a second time.
 */
export function bodySource(request: NodeRequest): Readable {
  return isHttp2(request) ? request.stream : request;
}

/** NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE: the client has sent its END_STREAM. */
const halfClosedRemote = 6;

/**
 * Whether all of a request is here, read or not. A request of `node:http2` calls itself complete once it is closed, however
 * it came to that; a stream that was reset ends like any other, but is `aborted` before.
 */
export function isComplete(request: NodeRequest): boolean {
  if (!isHttp2(request)) return request.complete;
  const { stream } = request;
  if (stream.endAfterHeaders) return true;
  return stream.readableEnded ? !stream.aborted : stream.state.state === halfClosedRemote;
}

/** Whether the client has gone, so that no event will tell of it any more. */
export function isGone(request: NodeRequest): boolean {
  return isHttp2(request) ? request.stream.destroyed || request.stream.closed : request.destroyed;
}
