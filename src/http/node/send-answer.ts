import type { Answer } from '../../core/exchange.js';
import { isHttp2, type NodeRequest, type NodeResponse } from './node-message.js';
import { sendHttp1Answer } from './send-http1-answer.js';
import { sendHttp2Answer } from './send-http2-answer.js';

/** Sends an answer; resolves when it is on its way or the client has gone. */
export function sendAnswer(
  request: NodeRequest,
  response: NodeResponse,
  answer: Answer,
  networkTimeoutMs: number,
): Promise<void> {
  if (isHttp2(request)) {
    if ('stream' in response) return sendHttp2Answer(request, response, answer, networkTimeoutMs);
  } else if (!('stream' in response)) {
    return sendHttp1Answer(request, response, answer, networkTimeoutMs);
  }
  throw new TypeError('the request and the response are of different protocols');
}
