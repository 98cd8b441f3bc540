import type { ChecksumAlgorithm } from '../../core/checksum.js';
import type { TusError } from '../../core/errors.js';
import type { Answer } from '../../core/exchange.js';
import type { HookHttpResponse } from '../../core/hooks.js';
import type { Outcome, ReadOutcome, Selection } from '../../core/outcome.js';
import type { UploadInfo } from '../../core/upload.js';
import { serializeConcat } from '../concat.js';
import { downloadHeaders } from '../download.js';
import { serializeMetadata } from '../metadata.js';
import { representationOf } from '../representation.js';
import { version } from './decode.js';
import type { TusExtension } from './extensions.js';

// Headers are set one by one: an object literal with a spread in its middle is slow to make and to read in V8.

/** What OPTIONS tells of the server. */
export function encodeOptions(
  extensions: ReadonlySet<TusExtension>,
  maxSize: number | undefined,
  algorithms: readonly ChecksumAlgorithm[],
): Answer {
  const answer = newAnswer(200);
  answer.headers['Tus-Version'] = version;
  // "If no extensions are supported, the Tus-Extension header MUST be omitted."
  if (extensions.size > 0) answer.headers['Tus-Extension'] = [...extensions].join(',');
  // "The Tus-Checksum-Algorithm header MUST be included in the response to an OPTIONS request."
  if (extensions.has('checksum')) answer.headers['Tus-Checksum-Algorithm'] = algorithms.join(',');
  if (maxSize !== undefined) answer.headers['Tus-Max-Size'] = String(maxSize);
  return answer;
}

export function encodeCreated(outcome: Outcome, location: string, withBody: boolean): Answer {
  const answer = newAnswer(201);
  answer.headers['Location'] = location;
  if (withBody) answer.headers['Upload-Offset'] = String(outcome.upload.offset);
  addExpiry(answer.headers, outcome.expiresAt);
  return withHookResponse(answer, outcome);
}

export function encodeAppended(outcome: Outcome): Answer {
  const answer = newAnswer(204);
  answer.headers['Upload-Offset'] = String(outcome.upload.offset);
  addExpiry(answer.headers, outcome.expiresAt);
  return withHookResponse(answer, outcome);
}

/** @param urlOf the URL of the upload with an ID */
export function encodeInspected(
  { upload, state, expiresAt }: Outcome,
  urlOf: (id: string) => string,
): Answer {
  const answer = newAnswer(200);
  const { headers } = answer;
  // "The Server MUST prevent the client and/or proxies from caching the response."
  headers['Cache-Control'] = 'no-store';
  // "SHOULD NOT contain the Upload-Offset header until the concatenation has been finished successfully."
  if (state !== 'concatenating') headers['Upload-Offset'] = String(upload.offset);
  addLength(headers, upload);
  const metadata = upload.rawMetadata ?? serializeMetadata(upload.metadata);
  if (metadata !== '') headers['Upload-Metadata'] = metadata;
  if (upload.isPartial) headers['Upload-Concat'] = 'partial';
  // tusd keeps only the IDs of the parts.
  if (upload.isFinal) {
    headers['Upload-Concat'] = upload.rawConcat ?? serializeConcat(upload.parts.map(urlOf));
  }
  addExpiry(headers, expiresAt);
  return answer;
}

export function encodeRead({ upload, state, selection, content }: ReadOutcome): Answer {
  if (content !== undefined && 'redirect' in content) {
    const answer = newAnswer(302);
    answer.headers['Location'] = content.redirect;
    return answer;
  }
  if (selection.kind === 'refused') return encodeError(selection.error);
  const { etag, modifiedAt, isWhole } = representationOf(upload, state);
  const answer = newAnswer(readStatus(selection, content), content?.stream);
  const { headers } = answer;
  headers['ETag'] = etag;
  headers['Last-Modified'] = new Date(modifiedAt).toUTCString();
  // Whoever keeps a copy asks again before using it, so that access is checked and what is gone is gone. And what
  // compresses on the way would make other bytes of it, to which neither the ETag nor a range applies.
  headers['Cache-Control'] = 'no-cache, no-transform';
  if (content === undefined || selection.kind === 'unmodified') return answer;
  Object.assign(headers, downloadHeaders(upload.metadata));
  const { start, end } = selection.range;
  headers['Content-Length'] = String(end - start);
  headers['Accept-Ranges'] = 'bytes';
  if (selection.kind === 'part') {
    // Of an unfinished upload, what is stored is not "the complete length".
    headers['Content-Range'] = `bytes ${start}-${end - 1}/${isWhole ? upload.offset : '*'}`;
  }
  if (!isWhole) {
    headers['Upload-Offset'] = String(upload.offset);
    addLength(headers, upload);
  }
  return answer;
}

function readStatus({ kind }: Selection, content: ReadOutcome['content']): number {
  if (kind === 'unmodified') return 304;
  if (content === undefined) return 204;
  return kind === 'part' ? 206 : 200;
}

export function encodeTerminated(outcome: Outcome): Answer {
  return withHookResponse(newAnswer(204), outcome);
}

/** `CODE: message` as text, as tusd has it: clients and monitoring match on the code. */
export function encodeError(error: TusError): Answer {
  const answer = newAnswer(error.status, error.body ?? `${error.code}: ${error.message}\n`);
  answer.headers['Content-Type'] = 'text/plain; charset=utf-8';
  return { ...answer, headers: withHeaders(answer.headers, error.headers) };
}

function addLength(headers: Record<string, string>, { size }: UploadInfo): void {
  if (size === undefined) headers['Upload-Defer-Length'] = '1';
  else headers['Upload-Length'] = String(size);
}

/** As an IMF-fixdate, which has whole seconds: rounded down, so that nobody comes too late. */
export function addExpiry(headers: Record<string, string>, expiresAt: number | undefined): void {
  if (expiresAt !== undefined) headers['Upload-Expires'] = new Date(expiresAt).toUTCString();
}

function newAnswer(status: number, body?: Answer['body']): Answer {
  return { status, headers: { 'Tus-Resumable': version }, body };
}

/** What a hook says of the answer goes over what the protocol says; the protocol's other headers stay. */
function withHookResponse(plain: Answer, { httpResponse }: Outcome): Answer {
  if (httpResponse === undefined) return plain;
  return {
    status: httpResponse.status ?? plain.status,
    headers: withHeaders(plain.headers, httpResponse.headers),
    body: httpResponse.body ?? plain.body,
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
