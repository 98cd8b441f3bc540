import { once } from 'node:events';
import http2 from 'node:http2';
import { onTestFinished } from 'vitest';
import { basePath, chunkType, lengthHeader } from './tus.js';

export interface Http2Request {
  readonly headers?: http2.OutgoingHttpHeaders;
  /** Without it the request ends with its headers. */
  readonly body?: string | Uint8Array;
  readonly trailers?: http2.OutgoingHttpHeaders;
}

export interface Http2Response {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly text: string;
  /** With what the stream was closed; 0 where it came to its end. */
  readonly code: number;
}

/** A connection for the length of one test. */
export async function connectHttp2(
  { port, secure }: { readonly port: number; readonly secure: boolean },
  options: http2.SecureClientSessionOptions = {},
): Promise<http2.ClientHttp2Session> {
  const origin = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`;
  const session = http2.connect(origin, { rejectUnauthorized: false, ...options });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  await once(session, 'connect');
  return session;
}

/** Begins a request, whose body is sent by the test. */
export function begin(
  session: http2.ClientHttp2Session,
  method: string,
  path: string,
  { headers, body, trailers }: Http2Request = { body: '' },
): http2.ClientHttp2Stream {
  const stream = session.request(
    { ':method': method, ':path': path, 'Tus-Resumable': '1.0.0', ...headers },
    { endStream: body === undefined, waitForTrailers: trailers !== undefined },
  );
  // What becomes of it is told by `answer`.
  stream.on('error', () => undefined);
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  return stream;
}

/** Waits for the response of a stream, and for its end. */
export async function answer(stream: http2.ClientHttp2Stream): Promise<Http2Response> {
  const pieces: Buffer[] = [];
  let headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
  stream.on('response', (received) => {
    headers = received;
  });
  stream.on('data', (bytes: Buffer) => pieces.push(bytes));
  await new Promise((resolve) => stream.once('close', resolve));
  const text = Buffer.concat(pieces).toString();
  return { status: headers[':status'] ?? 0, headers, text, code: stream.rstCode };
}

/** One request and its response. */
export function ask(
  session: http2.ClientHttp2Session,
  method: string,
  path: string,
  request: Http2Request = {},
): Promise<Http2Response> {
  const stream = begin(session, method, path, request);
  if (request.body !== undefined) stream.end(request.body);
  return answer(stream);
}

/** Makes an upload and gives back its path. */
export async function createOver(session: http2.ClientHttp2Session, size: number): Promise<string> {
  const { status, headers, text, code } = await ask(session, 'POST', basePath, {
    headers: lengthHeader(size),
  });
  if (status !== 201) throw new Error(`not created: ${status} ${text} (${code})`);
  return new URL(headers.location ?? '').pathname;
}

export function chunkAt(offset: number): http2.OutgoingHttpHeaders {
  return { ...chunkType, 'Upload-Offset': String(offset) };
}

/** The offset that HEAD tells. */
export async function offsetOver(session: http2.ClientHttp2Session, path: string): Promise<number> {
  const { status, headers } = await ask(session, 'HEAD', path);
  if (status !== 200) throw new Error(`HEAD ${path}: ${status}`);
  return Number(headers['upload-offset']);
}
