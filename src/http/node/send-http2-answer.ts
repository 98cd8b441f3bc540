import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { pipeline } from 'node:stream/promises';
import type { Answer } from '../../core/exchange.js';
import { textContent } from '../text-content.js';
import { discardRest } from './discard-rest.js';
import { isComplete } from './node-message.js';

/** "An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header fields." A hook may name one. */
const connectionSpecific = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** NGHTTP2_NO_ERROR and NGHTTP2_CANCEL */
const [noError, cancelled] = [0, 8];

/**
 * Sends an answer over HTTP/2; resolves when it is on its way or the client has gone. The connection serves other streams
 * meanwhile and afterwards, whatever becomes of this one.
 */
export async function sendHttp2Answer(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  answer: Answer,
  networkTimeoutMs: number,
): Promise<void> {
  const { stream } = request;
  const { status, body } = answer;
  if (stream.destroyed || stream.closed) {
    if (typeof body === 'object') body.destroy();
    return;
  }
  limitSilence(request, response, networkTimeoutMs);
  if (typeof body === 'object') {
    response.writeHead(status, allowedHeaders(answer.headers));
    // The response of `node:http2` is only finished with its request, and that may have no end.
    stream.once('finish', () => void closeRequest(request));
    await pipeline(body, response);
    return;
  }
  const content = textContent(answer, body ?? '', request.method);
  response.writeHead(status, allowedHeaders(answer.headers));
  // Where there is none, the stream has ended with its headers.
  if (content === '') response.end();
  else response.end(content);
  await closeRequest(request);
}

/**
 * A client that takes nothing for so long is gone; no descriptor is to wait for it, nor its connection. Node's own timeout of
 * a stream is put off by whatever happens on the others.
 */
function limitSilence(
  { stream }: Http2ServerRequest,
  response: Http2ServerResponse,
  networkTimeoutMs: number,
): void {
  const timer = setTimeout(
    () => stream.close(stream.writableFinished ? noError : cancelled),
    networkTimeoutMs,
  );
  response.on('drain', () => timer.refresh());
  stream.once('close', () => clearTimeout(timer));
}

/**
 * Ends a request that is answered before it was read. "A server MAY request that the client abort transmission of a request
 * without error by sending a RST_STREAM with an error code of NO_ERROR after sending a complete response": at once it would
 * overtake, in some clients, the answer that they have not looked at.
 */
async function closeRequest(request: Http2ServerRequest): Promise<void> {
  if (isComplete(request)) return;
  await discardRest(request.stream);
  if (!isComplete(request)) request.stream.close();
}

/** @throws TypeError for a header that cannot be sent: `node:http2` would break the stream off instead */
function allowedHeaders(headers: Answer['headers']): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (connectionSpecific.has(name.toLowerCase())) continue;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    // "A field value MUST NOT start or end with an ASCII whitespace character": clients drop such a field.
    allowed[name] = value.trim();
  }
  return allowed;
}
