import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Everything below a directory, sorted; folders end with a slash. */
export async function listDirectory(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name).slice(directory.length + 1);
      return entry.isDirectory() ? `${path}/` : path;
    })
    .sort();
}
