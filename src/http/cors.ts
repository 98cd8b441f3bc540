import type { Exchange } from '../core/exchange.js';

const allowedHeaders = [
  'Authorization',
  'Origin',
  'X-Requested-With',
  'X-Request-ID',
  'X-HTTP-Method-Override',
  'Content-Type',
  'Upload-Length',
  'Upload-Offset',
  'Upload-Metadata',
  'Upload-Defer-Length',
  'Upload-Concat',
  'Upload-Checksum',
  'Tus-Resumable',
].join(', ');

const exposedHeaders = [
  'Location',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Defer-Length',
  'Upload-Concat',
  'Upload-Expires',
  'Tus-Version',
  'Tus-Resumable',
  'Tus-Max-Size',
  'Tus-Extension',
  'Tus-Checksum-Algorithm',
].join(', ');

const maxAgeSeconds = '86400';

/**
 * The CORS headers of an answer, on errors and downloads too: a browser shows a page nothing of an answer without
 * them, not even its status. Any origin may use the server, without credentials (tusd's default).
 */
export function corsHeaders(
  exchange: Exchange,
  method: string,
  allowedMethods: string,
): Record<string, string> {
  const origin = exchange.header('origin');
  // Vary even where no origin came: a cache must not give this answer to one.
  if (origin === undefined) return { Vary: 'Origin' };
  const headers = { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
  return method === 'OPTIONS'
    ? {
        ...headers,
        'Access-Control-Allow-Methods': allowedMethods,
        'Access-Control-Allow-Headers': allowedHeaders,
        'Access-Control-Max-Age': maxAgeSeconds,
      }
    : { ...headers, 'Access-Control-Expose-Headers': exposedHeaders };
}
