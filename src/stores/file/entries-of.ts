import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { unlessMissing } from './file-errors.js';

export type Entries = AsyncIterable<Dirent> | Dirent[];

/** What is in a folder; nothing where there is none: it may have gone since it was listed, with the last upload in it. */
export async function entriesOf(folder: string): Promise<Entries> {
  return (await unlessMissing(() => opendir(folder))) ?? [];
}
