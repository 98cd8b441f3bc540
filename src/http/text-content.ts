import type { Answer } from '../core/exchange.js';

/**
 * The content of an answer that is no stream, with its length put into the headers. An answer that can have none has
 * none, whatever the protocol or a hook would like to say.
 */
export function textContent({ status, headers }: Answer, body: string, method: string): string {
  if (!mayHaveContent(status, method)) return '';
  const content = status === 205 ? '' : body;
  headers['Content-Length'] = String(Buffer.byteLength(content));
  return content;
}

/** Whether the protocol of the web allows for a body, empty or not. */
export function mayHaveContent(status: number, method: string): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}
