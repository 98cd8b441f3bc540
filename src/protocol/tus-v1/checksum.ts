import {
  type BodyChecksum,
  type Checksum,
  type ChecksumAlgorithm,
  digestLength,
} from '../../core/checksum.js';
import { TusError } from '../../core/errors.js';
import { isBase64 } from '../base64.js';
import type { RoutedRequest } from '../command.js';
import type { TusExtension } from './extensions.js';

const field = 'upload-checksum';

/**
 * How the body of a request is to be verified; undefined where it is not. A checksum that nobody would look at is refused:
 * who sends one takes success to mean that the bytes are the right ones.
 *
 * @throws TusError ERR_INVALID_CHECKSUM
 */
export function decodeChecksum(
  { header, mayHaveTrailers }: Pick<RoutedRequest, 'header' | 'mayHaveTrailers'>,
  extensions: ReadonlySet<TusExtension>,
  algorithms: readonly ChecksumAlgorithm[],
): BodyChecksum | undefined {
  const text = header(field);
  const isAnnounced = names(header('trailer') ?? '').includes(field);
  const readsTrailers = mayHaveTrailers && extensions.has('checksum-trailer');
  if (text === undefined && !isAnnounced && !readsTrailers) return undefined;
  if (text !== undefined && !extensions.has('checksum')) {
    throw invalid('this server verifies none, send the bytes without');
  }
  if (isAnnounced && !readsTrailers) {
    throw invalid(
      'there are no trailers here, or not behind a Content-Length: send it as a header',
    );
  }
  if (isAnnounced && text !== undefined) {
    throw invalid('it comes in the header or in the trailer, not in both');
  }
  return {
    expected: text === undefined ? undefined : parseChecksum(text, algorithms),
    isAnnounced,
    ...(readsTrailers && {
      ofTrailers: (trailers: Readonly<Record<string, string>>) => {
        const trailer = trailers[field];
        return trailer === undefined ? undefined : parseChecksum(trailer, algorithms);
      },
    }),
  };
}

/** "The Upload-Checksum header MUST consist of the name of the used checksum algorithm and the Base64 encoded checksum separated by a space." */
function parseChecksum(text: string, algorithms: readonly ChecksumAlgorithm[]): Checksum {
  const [name, encoded = '', ...rest] = text.split(' ');
  const algorithm = algorithms.find((known) => known === name);
  const form = `one of ${algorithms.join(', ')}, a space, and the digest in Base64`;
  if (algorithm === undefined || rest.length > 0 || !isBase64(encoded)) {
    throw invalid(`it has to be ${form}`);
  }
  const digest = Buffer.from(encoded, 'base64');
  const length = digestLength(algorithm);
  if (digest.length === length) return { algorithm, digest };
  throw invalid(`a digest of ${algorithm} has ${length} bytes, this one has ${digest.length}`);
}

function names(list: string): string[] {
  return list.split(',').map((name) => name.trim().toLowerCase());
}

function invalid(detail: string): TusError {
  return new TusError('ERR_INVALID_CHECKSUM', { detail });
}
