import { join, relative, sep } from 'node:path';
import type { StoredItem } from '../../core/data-store.js';
import { isUploadId } from '../../core/upload-id.js';
import { entriesOf, filesBelow } from '../../internal/files-below.js';
import { notesFolder, parseNotes } from './awaited-by.js';
import { fileAt, recordAt, startOf } from './claimed-files.js';
import { findLeftovers, isOwnId, type Leftovers } from './leftovers.js';

/** Bytes of a file of notes that are looked at: enough for a whole one, behind one that was cut short. */
const notesStart = 16 * 1024;

/**
 * Everything below an upload directory that belongs to uploads, entry by entry. A file that has no record and no name
 * of our making is somebody else's.
 */
export async function* listFiles(
  directory: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredItem> {
  for await (const path of filesBelow(directory, signal)) {
    const item = await classify(directory, path);
    if (item !== undefined) yield item;
  }
  const notes = join(directory, notesFolder);
  for await (const entry of await entriesOf(notes)) {
    signal?.throwIfAborted();
    const item = entry.isFile()
      ? await classifyNotes(directory, join(notes, entry.name))
      : undefined;
    if (item !== undefined) yield item;
  }
}

async function classify(directory: string, path: string): Promise<StoredItem | undefined> {
  const [, stem = path, suffix = ''] = /^(.*?)(\.info|\.info\.part)?$/s.exec(path) ?? [];
  const id = relative(directory, stem).split(sep).join('/');
  if (!isUploadId(id)) return undefined;
  if (suffix === '') return isOwnId(id) ? orphan(directory, id, 'data') : undefined;
  if (suffix === '.info.part') return orphan(directory, id, 'record');
  if ((await recordAt(path, id)) === undefined) return undefined;
  const file = (await fileAt(stem)) ?? (await fileAt(path));
  return file && { id, kind: 'upload', modifiedAt: file.mtimeMs };
}

/** Notes go with their part: those of one that is not there are left over. */
async function classifyNotes(directory: string, path: string): Promise<StoredItem | undefined> {
  const text = (await startOf(path, notesStart))?.toString('utf8') ?? '';
  const [note] = parseNotes(text);
  return note && orphan(directory, note.partId, 'notes');
}

/** Each of its files asks, and one of them gets it. */
async function orphan(
  directory: string,
  id: string,
  evidence: Leftovers['evidence'],
): Promise<StoredItem | undefined> {
  const found = await findLeftovers(directory, id);
  if (found?.evidence !== evidence) return undefined;
  return { id, kind: 'orphan', modifiedAt: found.modifiedAt };
}
