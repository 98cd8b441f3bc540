import type http from 'node:http';

export type S3Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CopyObject'
  | 'CreateMultipartUpload'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'GetObject'
  | 'HeadObject'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'ListParts'
  | 'PutObject'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'other';

/** What a request asks of S3. */
export interface S3Call {
  readonly operation: S3Operation;
  readonly bucket: string;
  /** Empty where the request is about the bucket. */
  readonly key: string;
  readonly partNumber?: number;
  readonly uploadId?: string;
}

/** Reads method, path and query: the bucket has to be in the path, and the operation's name in the query is no help elsewhere. */
export function s3Call(request: http.IncomingMessage): S3Call {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://host');
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(pathname) ?? [];
  const [partNumber, uploadId] = [query.get('partNumber'), query.get('uploadId')];
  const copies = request.headers['x-amz-copy-source'] !== undefined;
  const method = request.method ?? '';
  return {
    operation: key === '' ? onBucket(method, query) : onObject(method, query, copies),
    bucket,
    key: decodeURIComponent(key),
    ...(partNumber !== null && { partNumber: Number(partNumber) }),
    ...(uploadId !== null && { uploadId }),
  };
}

function onBucket(method: string, query: URLSearchParams): S3Operation {
  if (method === 'GET' && query.has('uploads')) return 'ListMultipartUploads';
  if (method === 'GET' && query.get('list-type') === '2') return 'ListObjectsV2';
  return method === 'POST' && query.has('delete') ? 'DeleteObjects' : 'other';
}

function onObject(method: string, query: URLSearchParams, copies: boolean): S3Operation {
  if (subresources.some((name) => query.has(name))) return 'other';
  const ofUpload = query.has('uploadId');
  switch (method) {
    case 'DELETE':
      return ofUpload ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'GET':
      return ofUpload ? 'ListParts' : 'GetObject';
    case 'HEAD':
      return 'HeadObject';
    case 'POST':
      if (ofUpload) return 'CompleteMultipartUpload';
      return query.has('uploads') ? 'CreateMultipartUpload' : 'other';
    case 'PUT':
      if (ofUpload) return copies ? 'UploadPartCopy' : 'UploadPart';
      return copies ? 'CopyObject' : 'PutObject';
    default:
      return 'other';
  }
}

const subresources = ['acl', 'attributes', 'legal-hold', 'retention', 'tagging'];
