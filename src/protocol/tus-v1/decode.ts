import { TusError } from '../../core/errors.js';
import type { UploadDraft } from '../../core/upload.js';
import type { Command, RoutedRequest } from '../command.js';
import { parseInteger } from '../integer.js';
import { mediaType } from '../media-type.js';
import { parseMetadata } from '../metadata.js';
import { decodeDownload } from '../select-bytes.js';
import type { TusExtension } from './extensions.js';

export const version = '1.0.0';
const chunkType = 'application/offset+octet-stream';

/**
 * Checks the client's version. It may be missing from HEAD and GET, as with tusd, where it could change nothing; a
 * wrong one is refused always.
 * @throws TusError ERR_UNSUPPORTED_VERSION
 */
export function checkVersion({ method, header }: RoutedRequest): void {
  const wanted = header('tus-resumable');
  if (wanted === version) return;
  if (wanted === undefined && (method === 'HEAD' || method === 'GET')) return;
  throw new TusError('ERR_UNSUPPORTED_VERSION', { headers: { 'Tus-Version': version } });
}

/**
 * Reads off a request what it asks for. Pure: knows nothing of the upload.
 * @throws TusError for a header that is missing, malformed or asks for an extension that is off
 */
export function decode(request: RoutedRequest, extensions: ReadonlySet<TusExtension>): Command {
  const { method, id } = request;
  if (id === undefined) {
    if (method === 'POST') return decodeCreation(request, extensions);
  } else if (method === 'PATCH') {
    return decodeAppend(request, id);
  } else if (method === 'HEAD') {
    return { kind: 'inspect', id };
  } else if (method === 'GET') {
    return { kind: 'read', id, request: decodeDownload(request.header) };
  } else if (method === 'DELETE') {
    return { kind: 'terminate', id };
  }
  throw new TusError('ERR_METHOD_NOT_ALLOWED');
}

function decodeCreation({ header }: RoutedRequest, extensions: ReadonlySet<TusExtension>): Command {
  if (header('upload-concat') !== undefined) throw new TusError('ERR_CONCATENATION_UNSUPPORTED');
  const rawMetadata = header('upload-metadata');
  const draft: UploadDraft = {
    size: decodeSize(header, extensions),
    metadata: parseMetadata(rawMetadata ?? ''),
    isPartial: false,
    isFinal: false,
    parts: [],
    protocol: 'tus-v1',
    // An empty header says as much as none.
    rawMetadata: rawMetadata === '' ? undefined : rawMetadata,
  };
  // A body of another type is not upload data: it is ignored.
  const withBody =
    extensions.has('creation-with-upload') && mediaType(header('content-type')) === chunkType;
  return { kind: 'create', draft, withBody };
}

/** "The request MUST include one of the following headers": Upload-Length or Upload-Defer-Length. */
function decodeSize(
  header: RoutedRequest['header'],
  extensions: ReadonlySet<TusExtension>,
): number | undefined {
  const length = header('upload-length');
  const deferred = header('upload-defer-length');
  if (deferred === undefined) return decodeLength(length ?? '');
  if (length !== undefined) throw new TusError('ERR_AMBIGUOUS_UPLOAD_LENGTH');
  if (deferred !== '1') throw new TusError('ERR_INVALID_UPLOAD_LENGTH_DEFER');
  if (!extensions.has('creation-defer-length')) throw new TusError('ERR_NOT_IMPLEMENTED');
  return undefined;
}

function decodeAppend({ header }: RoutedRequest, id: string): Command {
  if (mediaType(header('content-type')) !== chunkType) {
    throw new TusError('ERR_INVALID_CONTENT_TYPE', { detail: `it has to be ${chunkType}` });
  }
  const offset = parseInteger(header('upload-offset') ?? '');
  if (offset === undefined) throw new TusError('ERR_INVALID_OFFSET');
  const length = header('upload-length');
  return {
    kind: 'append',
    id,
    offset,
    size: length === undefined ? undefined : decodeLength(length),
  };
}

function decodeLength(text: string): number {
  const size = parseInteger(text);
  if (size === undefined) throw new TusError('ERR_INVALID_UPLOAD_LENGTH');
  return size;
}
