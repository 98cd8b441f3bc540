import { createHash } from 'node:crypto';
import { TusError } from '../../core/errors.js';

/** Where everything that belongs to one upload lies. */
export interface ObjectKeys {
  /** Key of the object that the upload becomes, in {@link bucket}. */
  readonly data: string;
  /** Bucket of the object that the upload becomes; the others are in the store's own. */
  readonly bucket: string;
  readonly multipart: string;
  /** tusd's record. */
  readonly info: string;
  /** tusd's tail: the bytes behind the last part, too few for one of their own. */
  readonly tail: string;
  /** Folder of what tuskd keeps beside: pieces of a tail, and notes of who waits. No ID can lead there. */
  readonly folder: string;
}

/** `OBJECT` and `MULTIPART` of `OBJECT+MULTIPART`. As with tusd, an object's name has no `+`. */
export function splitId(id: string): { object: string; multipart: string } {
  const plus = id.indexOf('+');
  if (plus < 1 || plus === id.length - 1) throw new TusError('ERR_UPLOAD_NOT_FOUND');
  return { object: id.slice(0, plus), multipart: id.slice(plus + 1) };
}

/** tusd's rule: a prefix is a folder. */
export function folderPrefix(prefix: string): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}

/** Key of the record of uploads to `object`. */
export function infoKey(prefix: string, object: string): string {
  return `${prefix}${object}.info`;
}

/** Keys for an upload; `elsewhere` where its data does not lie where tusd would look for it. */
export function objectKeys(
  bucket: string,
  prefix: string,
  id: string,
  elsewhere?: { readonly bucket: string; readonly key: string },
): ObjectKeys {
  const { object, multipart } = splitId(id);
  return {
    data: elsewhere?.key ?? `${prefix}${object}`,
    bucket: elsewhere?.bucket ?? bucket,
    multipart,
    info: infoKey(prefix, object),
    tail: `${prefix}${object}.part`,
    // By the multipart upload: what an earlier upload to the same object left behind is not this one's.
    folder: `${ownFolder(prefix)}${hash(id)}/`,
  };
}

/** Folder of the folders of all uploads. */
export function ownFolder(prefix: string): string {
  return `${prefix}.tuskd/`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** A piece of a tail, named after what it holds. */
export interface Piece {
  readonly key: string;
  /** Where its bytes belong in the upload. */
  readonly start: number;
  readonly size: number;
  /** The fence of the lock under which it was stored; -1 without one. */
  readonly fence: number;
  /** Milliseconds since 1970 on the clock of whoever stored it. */
  readonly time: number;
  /** It was put aside only to save memory, and counts for nothing. */
  readonly isDraft: boolean;
}

/** A key for a piece that nobody else writes to. */
export function newPieceKey(
  folder: string,
  { start, size, fence, time, isDraft }: Omit<Piece, 'key'>,
): string {
  const random = Math.floor(Math.random() * 0x1_00_00_00_00).toString(36);
  const ending = isDraft ? '.draft' : '';
  return `${folder}${start}-${size}.${fence < 0 ? '' : fence}.${time}.${random}${ending}`;
}

/** Beginning of the keys of all notes of who waits for the upload whose folder this is. */
export function awaitedByPrefix(folder: string): string {
  return `${folder}awaited-by.`;
}

/** Key of the note that upload `finalId` waits. An ID may be longer than what a key may have between two slashes. */
export function awaitedByKey(folder: string, finalId: string): string {
  return `${awaitedByPrefix(folder)}${hash(finalId)}`;
}

/** Whether the object is such a note, of whatever upload. */
export function isNoteKey(key: string): boolean {
  return /\/awaited-by\.[\da-f]{32}$/.test(key);
}

/** Whether the store has put the object into an upload's folder. */
export function isOwnKey(key: string, folder: string): boolean {
  if (key.startsWith(awaitedByPrefix(folder))) return isNoteKey(key);
  return parsePieceKey(key, folder) !== undefined;
}

/** Reads a piece's key; undefined for what is none. */
export function parsePieceKey(key: string, folder: string): Piece | undefined {
  const match = /^(\d+)-(\d+)\.(\d*)\.(\d+)\.\w+(\.draft)?$/.exec(key.slice(folder.length));
  if (!key.startsWith(folder) || match === null) return undefined;
  const [, start, size, fence, time, draft] = match;
  return {
    key,
    start: Number(start),
    size: Number(size),
    fence: fence === '' ? -1 : Number(fence),
    time: Number(time),
    isDraft: draft !== undefined,
  };
}
