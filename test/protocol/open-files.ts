import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths below `directory` that any process holds open: the server may be another one. Only Linux tells. */
export async function openFilesIn(directory: string): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(processes.map((id) => openFilesOf(join('/proc', id, 'fd'))));
  return found.flat().filter((path) => path.startsWith(`${directory}/`));
}

/** Processes and descriptors come and go while one looks; those of other users are none of ours. */
async function openFilesOf(folder: string): Promise<string[]> {
  const descriptors = await readdir(folder).catch(() => []);
  const paths = descriptors.map((name) => readlink(join(folder, name)).catch(() => ''));
  return Promise.all(paths);
}
