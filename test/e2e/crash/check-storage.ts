import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredItem } from '../../../dist/contracts.js';
import type { Backend } from './backend.js';

/** What lies there and is neither an upload's nor a lock nor listed for the sweeper, in sentences. */
export async function checkStorage(backend: Backend): Promise<string[]> {
  const items = await backend.list();
  const names = await filesIn(backend.directory);
  return names
    .filter((name) => !belongs(name, items))
    .filter((name) => !name.endsWith('.lock') && !name.startsWith('.tuskd/'))
    .map((name) => `${name} belongs to nothing`);
}

/** What is left once all uploads are terminated, a sweep has been, and no server runs, in sentences. */
export async function checkEmpty(backend: Backend): Promise<string[]> {
  const terminated = (await backend.list()).filter(({ kind }) => kind === 'upload');
  const { failed } = await backend.sweep();
  const left = [
    ...(await backend.list()).map(({ id }) => id),
    ...(await filesIn(backend.directory)),
  ];
  return [
    ...terminated.map(({ id }) => `Terminated, and still listed: ${id}`),
    ...left.map((name) => `Left behind: ${name}`),
    ...(failed > 0 ? [`${failed} could not be swept`] : []),
  ];
}

function belongs(name: string, items: readonly StoredItem[]): boolean {
  return items.some(({ id }) => name === id || name.startsWith(`${id}.`));
}

/** Files of the upload directory. */
async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}
