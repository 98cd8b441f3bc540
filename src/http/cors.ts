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
 * Gives an answer its CORS headers, errors and downloads too: a browser shows a page nothing of an answer without them,
 * not even its status. Any origin may use the server, without credentials (tusd's default).
 */
export function addCorsHeaders(
  headers: Record<string, string>,
  exchange: Exchange,
  method: string,
  allowedMethods: string,
): void {
  // Even where no origin came: a cache must not give this answer to one.
  headers['Vary'] = 'Origin';
  const origin = exchange.header('origin');
  if (origin === undefined) return;
  headers['Access-Control-Allow-Origin'] = origin;
  if (method === 'OPTIONS') {
    headers['Access-Control-Allow-Methods'] = allowedMethods;
    headers['Access-Control-Allow-Headers'] = allowedHeaders;
    headers['Access-Control-Max-Age'] = maxAgeSeconds;
  } else {
    headers['Access-Control-Expose-Headers'] = exposedHeaders;
  }
}
