import type { Answer } from '../../core/exchange.js';
import { mayHaveContent, textContent } from '../text-content.js';
import { downloadStream } from './download-stream.js';
import type { FetchExchange } from './fetch-exchange.js';

/**
 * An answer as a web `Response`.
 * @throws TypeError or RangeError for a header or status that cannot be sent
 */
export function toResponse(
  answer: Answer,
  { method, disconnected }: FetchExchange,
  networkTimeoutMs: number,
): Response {
  const { status, headers: fields, body = '' } = answer;
  const content = typeof body === 'string' ? textContent(answer, body, method) : body;
  // Some servers put a Response of their own in place, which looks at the names and values of a record too late.
  const headers = new Headers(fields);
  if (typeof content === 'string') {
    // As bytes: to a string, a Response adds a Content-Type of its own.
    const bytes = content === '' ? null : new TextEncoder().encode(content);
    return new Response(bytes, { status, headers });
  }
  if (mayHaveContent(status, method)) {
    const stream = downloadStream(content, disconnected, networkTimeoutMs);
    return new Response(stream, { status, headers });
  }
  content.destroy();
  return new Response(null, { status, headers });
}
