import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Disk } from '../../internal/disk.js';
import { isErrno, unless } from '../../internal/errno.js';
import { entriesOf } from '../../internal/files-below.js';
import { privateFolder } from '../../internal/private-folder.js';
import { type Durability, fsync, syncFolder } from './durability.js';
import { unlessMissing } from './file-errors.js';
import { flags, readSmallFile, withFile } from './fs.js';
import { removeEmptyParents } from './upload-paths.js';

/** Folder of the notes about who waits for which part. */
export const notesFolder = `${privateFolder}/awaited`;

export interface NotesOptions extends Durability {
  readonly directory: string;
  readonly disk: Disk;
  readonly dirPerms: number;
  readonly filePerms: number;
}

/** That a final upload waits for a part. */
export interface Note {
  readonly partId: string;
  readonly finalId: string;
}

/**
 * Notes that `finalId` waits for `partId`, in a file of the part's own: the record cannot take it, because whoever writes to
 * the part at this moment replaces it. Several may add notes at once.
 */
export async function addNote(
  options: NotesOptions,
  partId: string,
  finalId: string,
): Promise<void> {
  const path = notesPath(options.directory, partId);
  // The line of somebody who was killed halfway must not take ours with it.
  const line = `\n${JSON.stringify([partId, finalId])}\n`;
  // Another request may remove the empty folder just before the file is in it.
  for (let attempt = 0; ; attempt += 1) {
    try {
      await appendFile(path, line, { flag: flags.append, mode: options.filePerms });
      break;
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || attempt === 10) throw error;
      await mkdir(dirname(path), { recursive: true, mode: options.dirPerms });
    }
  }
  if (options.fsync === 'request') await syncNotes(options, path);
}

/** IDs of the final uploads that wait for the part, each once. */
export async function readNotes(
  disk: Disk,
  directory: string,
  partId: string,
): Promise<readonly string[]> {
  const text = await unlessMissing(() => readSmallFile(disk, notesPath(directory, partId)));
  return [...new Set(parseNotes(text ?? '').map(({ finalId }) => finalId))];
}

/** IDs of all final uploads that wait for a part, once for each part. */
export async function* listWaiting(
  disk: Disk,
  directory: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const folder = join(directory, notesFolder);
  for await (const { name } of await entriesOf(folder)) {
    signal?.throwIfAborted();
    const text = await unlessMissing(() => readSmallFile(disk, join(folder, name)));
    yield* new Set(parseNotes(text ?? '').map(({ finalId }) => finalId));
  }
}

export async function removeNotes(disk: Disk, directory: string, partId: string): Promise<void> {
  const path = notesPath(directory, partId);
  if (await unless(() => disk.unlink(path), 'ENOENT', 'ENOTDIR')) {
    await removeEmptyParents(directory, `${notesFolder}/`);
  }
}

/** What a file of notes says; a line that was cut short was never acknowledged. */
export function parseNotes(text: string): Note[] {
  return text.split('\n').flatMap((line) => {
    const [partId, finalId] = parseLine(line);
    return typeof partId === 'string' && typeof finalId === 'string' ? [{ partId, finalId }] : [];
  });
}

function parseLine(line: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(line);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** An ID may be longer than a file name, and have slashes. */
export function notesPath(directory: string, partId: string): string {
  return join(directory, notesFolder, createHash('sha256').update(partId).digest('hex'));
}

async function syncNotes({ disk, directory }: NotesOptions, path: string): Promise<void> {
  await withFile(disk, path, constants.O_RDONLY, undefined, fsync);
  for (const folder of [notesFolder, privateFolder, '']) {
    await syncFolder(disk, join(directory, folder));
  }
}
