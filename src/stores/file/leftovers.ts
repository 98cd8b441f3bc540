import { join } from 'node:path';
import type { Disk } from '../../internal/disk.js';
import { unless } from '../../internal/errno.js';
import { notesPath, removeNotes } from './awaited-by.js';
import { beginsAsRecord, fileAt, recordAt } from './claimed-files.js';
import { findData } from './find-upload.js';
import { removeFile } from './fs.js';
import { checkParents, removeEmptyParents } from './upload-paths.js';
import { temporaryName } from './write-info.js';

/** Whether this server, or tusd, made the ID up: nobody else gives a file such a name. */
export function isOwnId(id: string): boolean {
  return /(?:^|\/)[\da-f]{32}$/.test(id);
}

interface Place {
  readonly disk: Disk;
  readonly directory: string;
}

/**
 * What a crash left of an upload that is not there, or not any more. Up to three files, but one orphan: the first that is
 * there stands for all.
 *
 * - `record`: `ID.info.part`, in the making, or of an upload that was being removed
 * - `data`: `ID`, where the ID is of our making, and no byte is in it: that is how an upload begins. One with bytes and
 *   without a record is what somebody keeps who has removed the record
 * - `notes`: of who waits for it
 */
export interface Leftovers {
  readonly evidence: 'record' | 'data' | 'notes';
  readonly modifiedAt: number;
}

/** Undefined where an upload has that ID, or nothing is there that is known to be ours. */
export async function findLeftovers(directory: string, id: string): Promise<Leftovers | undefined> {
  const path = join(directory, id);
  const found = await firstEvidence(directory, id);
  // Looked for last: the upload may just have been made.
  return found === undefined || (await fileAt(`${path}.info`)) !== undefined ? undefined : found;
}

/** Removes what {@link findLeftovers} finds, all of it. */
export async function removeLeftovers({ disk, directory }: Place, id: string): Promise<void> {
  // Notes may be there where the folders of the ID are not.
  if (id.includes('/')) await unless(() => checkParents(directory, id), 'ENOENT', 'ENOTDIR');
  if ((await findLeftovers(directory, id)) === undefined) return;
  const data = await dataLeft({ disk, directory }, id);
  if (data !== undefined) await removeFile(disk, data);
  await removeNotes(disk, directory, id);
  await removeTraces({ disk, directory }, id);
}

/** The last step of a removal: as long as it has not happened, what is left can be found. */
export async function removeTraces({ disk, directory }: Place, id: string): Promise<void> {
  await removeFile(disk, temporaryRecord(directory, id));
  await removeEmptyParents(directory, id);
}

async function firstEvidence(directory: string, id: string): Promise<Leftovers | undefined> {
  const isOwn = isOwnId(id);
  const path = temporaryRecord(directory, id);
  const record = await fileAt(path);
  // One without a byte begins as anything does.
  if (record && (isOwn || (record.size > 0 && (await beginsAsRecord(path, id)))))
    return { evidence: 'record', modifiedAt: record.mtimeMs };
  const data = isOwn ? await fileAt(join(directory, id)) : undefined;
  if (data?.size === 0) return { evidence: 'data', modifiedAt: data.mtimeMs };
  const notes = await fileAt(notesPath(directory, id));
  return notes && { evidence: 'notes', modifiedAt: notes.mtimeMs };
}

async function dataLeft({ disk, directory }: Place, id: string): Promise<string | undefined> {
  const path = temporaryRecord(directory, id);
  const record = await recordAt(path, id);
  const told = record && (await findData(disk, directory, record))?.data;
  if (told !== undefined) {
    const [data, evidence] = [await fileAt(told), await fileAt(path)];
    // What changed after the record may be a file that somebody has put there since.
    if (data && evidence && data.ctimeMs <= evidence.ctimeMs) return told;
  }
  const own = join(directory, id);
  return isOwnId(id) && (await fileAt(own))?.size === 0 ? own : undefined;
}

function temporaryRecord(directory: string, id: string): string {
  return temporaryName(`${join(directory, id)}.info`);
}
