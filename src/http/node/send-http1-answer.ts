import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Answer } from '../../core/exchange.js';
import { textContent } from '../text-content.js';
import { discardRest, lingerBytes } from './discard-rest.js';

/** Sends an answer over HTTP/1.1; resolves when it is on its way or the client has gone. */
export async function sendHttp1Answer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  networkTimeoutMs: number,
): Promise<void> {
  const { status, headers, body } = answer;
  if (response.destroyed) {
    if (typeof body === 'object') body.destroy();
    return;
  }
  if (typeof body === 'object') {
    response.writeHead(status, headers);
    // A client that takes nothing for so long is gone; its descriptor is not to wait for it.
    response.setTimeout(networkTimeoutMs, () => response.destroy());
    await pipeline(body, response);
    // A body that nobody asked for, and that may never come, is not to hold the connection.
    if (!request.complete) await discardRest(request);
    if (!request.complete) request.socket.destroySoon();
    return;
  }
  const content = textContent(answer, body ?? '', request.method ?? '');
  // Or the client has its next request wait behind a body that is not going to be read to its end.
  if (!request.complete && !isSmall(request)) headers['Connection'] = 'close';
  // tus's own, which Node has no phrase for.
  if (status === 460) response.statusMessage = 'Checksum Mismatch';
  response.writeHead(status, headers);
  if (request.complete) response.end(content);
  else await sendEarly(request, response, content);
}

/**
 * An answer that comes before its request has been read. A connection closed with bytes unread is reset, and the reset
 * would overtake the answer; one left open would make the server read a body of any size. So the whole answer goes out,
 * and the response ends only after what still comes has been read and thrown away, for a moment. If the request ends
 * within that, the connection can be used again.
 */
async function sendEarly(
  request: IncomingMessage,
  response: ServerResponse,
  content: string,
): Promise<void> {
  if (content === '') response.flushHeaders();
  else response.write(content);
  await discardRest(request);
  response.end();
  if (!request.complete) request.socket.destroySoon();
}

/** Whether the whole body is little enough to be thrown away; one without a length may have no end. */
function isSmall({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? Infinity) <= lingerBytes;
}
