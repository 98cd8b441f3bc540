import type { TusError } from '../../core/errors.js';
import type { Answer } from '../../core/exchange.js';
import type { HookHttpResponse } from '../../core/hooks.js';
import type { Outcome, ReadOutcome } from '../../core/outcome.js';
import type { UploadInfo } from '../../core/upload.js';
import { downloadHeaders } from '../download.js';
import { serializeMetadata } from '../metadata.js';
import { version } from './decode.js';
import type { TusExtension } from './extensions.js';

/** What OPTIONS tells of the server. */
export function encodeOptions(
  extensions: ReadonlySet<TusExtension>,
  maxSize: number | undefined,
): Answer {
  return answer(200, {
    'Tus-Version': version,
    // "If no extensions are supported, the Tus-Extension header MUST be omitted."
    ...(extensions.size > 0 && { 'Tus-Extension': [...extensions].join(',') }),
    ...(maxSize !== undefined && { 'Tus-Max-Size': String(maxSize) }),
  });
}

export function encodeCreated(outcome: Outcome, location: string, withBody: boolean): Answer {
  const headers = {
    Location: location,
    ...(withBody && { 'Upload-Offset': String(outcome.upload.offset) }),
  };
  return withHookResponse(answer(201, headers), outcome);
}

export function encodeAppended(outcome: Outcome): Answer {
  const headers = { 'Upload-Offset': String(outcome.upload.offset) };
  return withHookResponse(answer(204, headers), outcome);
}

export function encodeInspected({ upload }: Outcome): Answer {
  const metadata = upload.rawMetadata ?? serializeMetadata(upload.metadata);
  return answer(200, {
    // "The Server MUST prevent the client and/or proxies from caching the response."
    'Cache-Control': 'no-store',
    'Upload-Offset': String(upload.offset),
    ...sizeHeader(upload),
    ...(metadata !== '' && { 'Upload-Metadata': metadata }),
  });
}

function sizeHeader({ size }: UploadInfo): Record<string, string> {
  return size === undefined ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(size) };
}

export function encodeRead({ upload, content }: ReadOutcome): Answer {
  if (content === undefined) return answer(204, {});
  if ('redirect' in content) return answer(302, { Location: content.redirect });
  return {
    ...answer(200, {
      ...downloadHeaders(upload.metadata),
      'Content-Length': String(upload.offset),
    }),
    body: content.stream,
  };
}

export function encodeTerminated(outcome: Outcome): Answer {
  return withHookResponse(answer(204, {}), outcome);
}

/** `CODE: message` as text, as tusd has it: clients and monitoring match on the code. */
export function encodeError(error: TusError): Answer {
  return {
    ...answer(
      error.status,
      withHeaders({ 'Content-Type': 'text/plain; charset=utf-8' }, error.headers),
    ),
    body: error.body ?? `${error.code}: ${error.message}\n`,
  };
}

function answer(status: number, headers: Record<string, string>): Answer {
  return { status, headers: { 'Tus-Resumable': version, ...headers } };
}

/** What a hook says of the answer goes over what the protocol says; the protocol's other headers stay. */
function withHookResponse(plain: Answer, { httpResponse }: Outcome): Answer {
  if (httpResponse === undefined) return plain;
  return {
    status: httpResponse.status ?? plain.status,
    headers: withHeaders(plain.headers, httpResponse.headers),
    ...(httpResponse.body !== undefined && { body: httpResponse.body }),
  };
}

/** Names mean the same in any case: one that came twice on the wire would be read either way. */
function withHeaders(
  headers: Record<string, string>,
  changes: HookHttpResponse['headers'] = {},
): Record<string, string> {
  const merged = new Map<string, [name: string, value: string]>();
  for (const [name, value] of [...Object.entries(headers), ...Object.entries(changes)]) {
    merged.set(name.toLowerCase(), [name, value]);
  }
  // Where the answer ends on the wire is for the transport to say.
  merged.delete('content-length');
  merged.delete('transfer-encoding');
  return Object.fromEntries(merged.values());
}
