import { TusError } from '../core/errors.js';

/** What may stand in a URL (RFC 3986), so no spaces: they are what separates them. */
const urlPattern = /^[\w\-.~:/?#[\]@!$&'()*+,;=%]+$/;
const finalPrefix = 'final;';

/** As many as S3 has parts of an object. Each is looked up, and its bytes may be asked for again and again. */
const maxParts = 10_000;

/**
 * Reads an Upload-Concat header (tus 1.0.0, Concatenation): `partial`, or the URLs of a final upload's parts in order.
 * @throws TusError ERR_INVALID_CONCAT
 */
export function parseConcat(header: string): 'partial' | readonly string[] {
  if (header === 'partial') return 'partial';
  if (!header.startsWith(finalPrefix)) throw invalid('it is neither partial nor final;URL URL …');
  const urls = header.slice(finalPrefix.length).split(' ', maxParts + 1);
  if (urls.length > maxParts) throw invalid(`more than ${maxParts} parts`);
  for (const [index, url] of urls.entries()) {
    if (url === '') throw invalid(`part ${index + 1} is empty; one space separates two`);
    if (!urlPattern.test(url)) throw invalid(`part ${index + 1} is no URL`);
  }
  return urls;
}

/** Writes the Upload-Concat header of a final upload. */
export function serializeConcat(urls: readonly string[]): string {
  return finalPrefix + urls.join(' ');
}

function invalid(detail: string): TusError {
  return new TusError('ERR_INVALID_CONCAT', { detail });
}
