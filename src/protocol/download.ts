import type { Metadata } from '../core/upload.js';

/** What a browser may show itself. Everything else is saved: a page or script among the uploads never runs. */
const inlineTypes = new Set([
  'text/plain',
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/bmp',
  'image/webp',
  'audio/wave',
  'audio/wav',
  'audio/x-wav',
  'audio/x-pn-wav',
  'audio/webm',
  'audio/ogg',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'application/ogg',
]);
const typePattern = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=[\w!#$&^.+-]+)*$/;

/** Content-Type and Content-Disposition of a download, made from the `filetype` and `filename` metadata. */
export function downloadHeaders(metadata: Metadata): {
  'Content-Type': string;
  'Content-Disposition': string;
} {
  const filetype = metadata['filetype'] ?? '';
  const type = typePattern.test(filetype) ? filetype : 'application/octet-stream';
  const essence = type.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const disposition = inlineTypes.has(essence) ? 'inline' : 'attachment';
  return {
    'Content-Type': type,
    'Content-Disposition': disposition + fileNameParameters(metadata['filename']),
  };
}

/** RFC 6266: a plain ASCII name for old clients, and the real one where it differs, encoded after RFC 8187. */
function fileNameParameters(fileName: string | undefined): string {
  if (fileName === undefined || fileName === '') return '';
  const ascii = fileName.replaceAll(/[^\x20-\x7e]|["\\]/g, '_');
  const plain = `; filename="${ascii}"`;
  return ascii === fileName ? plain : `${plain}; filename*=UTF-8''${encodeExtended(fileName)}`;
}

function encodeExtended(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
