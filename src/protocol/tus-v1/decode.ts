import type { ChecksumAlgorithm } from '../../core/checksum.js';
import { TusError } from '../../core/errors.js';
import type { UploadDraft } from '../../core/upload.js';
import type { Command, RoutedRequest } from '../command.js';
import { parseConcat } from '../concat.js';
import { parseInteger } from '../integer.js';
import { mediaType } from '../media-type.js';
import { parseMetadata } from '../metadata.js';
import { decodeDownload } from '../select-bytes.js';
import { decodeChecksum } from './checksum.js';
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
 * @param algorithms those that checksums can be verified with
 * @throws TusError for a header that is missing, malformed or asks for an extension that is off
 */
export function decode(
  request: RoutedRequest,
  extensions: ReadonlySet<TusExtension>,
  algorithms: readonly ChecksumAlgorithm[],
): Command {
  const { method, id } = request;
  if (id === undefined) {
    if (method === 'POST') return decodeCreation(request, extensions, algorithms);
  } else if (method === 'PATCH') {
    return decodeAppend(request, extensions, algorithms, id);
  } else if (method === 'HEAD') {
    return { kind: 'inspect', id };
  } else if (method === 'GET') {
    return { kind: 'read', id, request: decodeDownload(request.header) };
  } else if (method === 'DELETE') {
    return { kind: 'terminate', id };
  }
  throw new TusError('ERR_METHOD_NOT_ALLOWED');
}

function decodeCreation(
  request: RoutedRequest,
  extensions: ReadonlySet<TusExtension>,
  algorithms: readonly ChecksumAlgorithm[],
): Command {
  const { header } = request;
  const rawConcat = header('upload-concat');
  if (rawConcat !== undefined && !extensions.has('concatenation')) {
    throw new TusError('ERR_CONCATENATION_UNSUPPORTED');
  }
  const concat = rawConcat === undefined ? undefined : parseConcat(rawConcat);
  // A body of another type is not upload data: it is ignored.
  const withBody =
    extensions.has('creation-with-upload') && mediaType(header('content-type')) === chunkType;
  const rawMetadata = header('upload-metadata');
  const draft: UploadDraft = {
    size: Array.isArray(concat) ? refuseSize(header) : decodeSize(header, extensions),
    metadata: parseMetadata(rawMetadata ?? ''),
    isPartial: concat === 'partial',
    isFinal: Array.isArray(concat),
    parts: [],
    protocol: 'tus-v1',
    // An empty header says as much as none.
    rawMetadata: rawMetadata === '' ? undefined : rawMetadata,
    rawConcat,
  };
  if (Array.isArray(concat)) return decodeFinal(draft, concat, withBody, extensions);
  // It is of the chunk that comes along; without one there is nothing to verify.
  const checksum = withBody ? decodeChecksum(request, extensions, algorithms) : undefined;
  return { kind: 'create', draft, withBody, checksum };
}

function decodeFinal(
  draft: UploadDraft,
  partUrls: readonly string[],
  withBody: boolean,
  extensions: ReadonlySet<TusExtension>,
): Command {
  if (withBody) {
    throw new TusError('ERR_MODIFY_FINAL', { detail: 'it is made of its parts, not of a body' });
  }
  const mayWait = extensions.has('concatenation-unfinished');
  return { kind: 'concatenate', draft, partUrls, mayWait };
}

/** "The Client MUST NOT include the Upload-Length header in the final upload creation." */
function refuseSize(header: RoutedRequest['header']): undefined {
  if (header('upload-length') === undefined && header('upload-defer-length') === undefined) return;
  throw new TusError('ERR_INVALID_UPLOAD_LENGTH', {
    detail: 'a final upload is as long as its parts are together',
  });
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

function decodeAppend(
  request: RoutedRequest,
  extensions: ReadonlySet<TusExtension>,
  algorithms: readonly ChecksumAlgorithm[],
  id: string,
): Command {
  const { header } = request;
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
    checksum: decodeChecksum(request, extensions, algorithms),
  };
}

function decodeLength(text: string): number {
  const size = parseInteger(text);
  if (size === undefined) throw new TusError('ERR_INVALID_UPLOAD_LENGTH');
  return size;
}
