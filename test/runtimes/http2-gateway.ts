import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = http2.constants;
/** What belongs to a connection of HTTP/1.1 and has no place in HTTP/2. */
const hopByHop = new Set([
  'connection',
  'host',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Takes HTTP/1.1 and passes it on as streams of one HTTP/2 connection, so that tests that speak the one test the other: who
 * sends half a body and waits does so on a stream, and who breaks off resets one.
 */
export function http2Gateway(
  targetPort: number,
  serverOptions: http.ServerOptions = {},
): http.Server {
  const server = http.createServer({ ...serverOptions, requestTimeout: 0 });
  let session: http2.ClientHttp2Session | undefined;

  /** Another one, where the server takes no more requests on the last. */
  function openSession(): http2.ClientHttp2Session {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = http2.connect(`http://127.0.0.1:${targetPort}`);
    session.on('error', () => undefined);
    return session;
  }

  function pass(request: http.IncomingMessage, response: http.ServerResponse): void {
    const stream = openSession().request(headersOf(request), {
      endStream: !hasBody(request),
      waitForTrailers: true,
    });
    passRequest(request, stream);
    void passResponse(request, response, stream);
  }

  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    server.on(event, pass);
  }
  server.once('close', () => session?.destroy());
  return server;
}

function passRequest(request: http.IncomingMessage, stream: http2.ClientHttp2Stream): void {
  stream.on('wantTrailers', () => stream.sendTrailers(request.trailers));
  if (hasBody(request)) request.pipe(stream);
  request.on('close', () => {
    if (!request.complete) stream.close(NGHTTP2_CANCEL);
  });
}

async function passResponse(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  stream: http2.ClientHttp2Stream,
): Promise<void> {
  stream.on('continue', () => response.writeContinue());
  stream.on('response', ({ ':status': status = 0, ...headers }) => {
    if (!request.complete) response.setHeader('Connection', 'close');
    response.sendDate = false;
    response.writeHead(status, headers);
    response.flushHeaders();
    // Its end would close a connection on which the client is still sending, and take the answer from it.
    stream.pipe(response, { end: false });
  });
  response.on('close', () => {
    if (!response.writableFinished) stream.close(NGHTTP2_CANCEL);
  });
  stream.on('error', () => request.socket.destroy());
  await once(stream, 'close').catch(() => undefined);
  // Reset before it was answered, or in the middle.
  if (!stream.readableEnded || stream.rstCode !== NGHTTP2_NO_ERROR) request.socket.destroy();
  else response.end();
  if (!request.complete) request.socket.destroySoon();
}

function hasBody({ headers }: http.IncomingMessage): boolean {
  return (
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? '0') !== 0
  );
}

function headersOf(request: http.IncomingMessage): http2.OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {};
  for (const [name, values = []] of Object.entries(request.headersDistinct)) {
    if (!hopByHop.has(name)) headers[name] = values;
  }
  return {
    ...headers,
    ':method': request.method,
    ':path': request.url,
    ':scheme': 'http',
    ':authority': request.headers.host,
  };
}
