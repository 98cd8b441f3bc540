import type { StoredItem } from '../../../dist/contracts.js';
import type { Backend } from './backend.js';

/** What lies there and is neither an upload's nor a lock nor listed for the sweeper, in sentences. */
export async function checkStorage(backend: Backend): Promise<string[]> {
  // An object in S3 need not be named after its upload.
  if (!backend.canReadUnfinished) return [];
  const items = await backend.list();
  const names = await backend.names();
  return names
    .filter((name) => !belongs(name, items))
    .filter((name) => !name.endsWith('.lock') && !name.startsWith('.tuskd/'))
    .map((name) => `${name} belongs to nothing`);
}

/** What is left once all uploads are terminated, a sweep has been, and no server runs, in sentences. */
export async function checkEmpty(backend: Backend): Promise<string[]> {
  const terminated = (await backend.list()).filter(({ kind }) => kind === 'upload');
  const { failed } = await backend.sweep();
  const left = [...(await backend.list()).map(({ id }) => id), ...(await backend.names())];
  return [
    ...terminated.map(({ id }) => `Terminated, and still listed: ${id}`),
    ...left.map((name) => `Left behind: ${name}`),
    ...(failed > 0 ? [`${failed} could not be swept`] : []),
  ];
}

function belongs(name: string, items: readonly StoredItem[]): boolean {
  return items.some(({ id }) => name === id || name.startsWith(`${id}.`));
}
