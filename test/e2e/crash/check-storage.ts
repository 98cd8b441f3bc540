import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from './backend.js';

/** What lies there and is neither an upload's nor a lock nor listed for the sweeper, in sentences. */
export async function checkStorage(backend: Backend): Promise<string[]> {
  const items = await backend.list();
  const names = await filesIn(backend.directory);
  return names
    .filter((name) => !items.some(({ id }) => name === id || name.startsWith(`${id}.`)))
    .filter((name) => !name.endsWith('.lock'))
    .map((name) => `${name} belongs to nothing`);
}

/** What is left once all uploads are terminated, the sweeper has been, and no server runs, in sentences. */
export async function checkEmpty(backend: Backend): Promise<string[]> {
  const items = await backend.list();
  const uploads = items.filter(({ kind }) => kind === 'upload');
  const { store } = backend;
  for (const { id } of items) await store.removeOrphan?.(id);
  const isSwept = store.removeOrphan !== undefined;
  const left = isSwept
    ? [...(await backend.list()).map(({ id }) => id), ...(await filesIn(backend.directory))]
    : (await checkStorage(backend)).filter((name) => !name.endsWith('.lock'));
  return [
    ...uploads.map(({ id }) => `Terminated, and still listed: ${id}`),
    ...left.map((name) => `Left behind: ${name}`),
  ];
}

/** Files of the upload directory, without those of the locker. */
async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((name) => !name.startsWith('.tuskd/'));
}
