import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Puts uploads into a new directory as tusd and tuskd keep them. All are links to one pair of files, since it is the
 * number of names that a server could suffer from: a million of them take seconds and hardly any memory.
 */
export function fillDirectory(directory: string, uploads: number): void {
  mkdirSync(directory);
  const name = (index: number): string => join(directory, index.toString(16).padStart(32, '0'));
  const size = 4096;
  writeFileSync(name(0), Buffer.alloc(size));
  const info = { ID: '0', Size: size, SizeIsDeferred: false, Offset: 0, MetaData: {} };
  writeFileSync(
    `${name(0)}.info`,
    JSON.stringify({ ...info, IsPartial: false, IsFinal: false, PartialUploads: null }),
  );
  for (let index = 1; index < uploads; index += 1) {
    linkSync(name(0), name(index));
    linkSync(`${name(0)}.info`, `${name(index)}.info`);
  }
}
