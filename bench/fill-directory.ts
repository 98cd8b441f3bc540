import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Fewer than any common file system allows; ext4 has the least, 65,000. */
const linksToOneFile = 50_000;
const size = 4096;

/**
 * Puts uploads into a new directory as tusd and tuskd keep them. Most are links to a few files, since it is the number
 * of names that a server could suffer from: a million of them take seconds and hardly any memory.
 */
export function fillDirectory(directory: string, uploads: number): void {
  mkdirSync(directory);
  for (let index = 0; index < uploads; index += 1) {
    const path = pathOf(directory, index);
    const original = pathOf(directory, index - (index % linksToOneFile));
    if (path === original) writeUpload(path);
    else {
      linkSync(original, path);
      linkSync(`${original}.info`, `${path}.info`);
    }
  }
}

function pathOf(directory: string, index: number): string {
  return join(directory, index.toString(16).padStart(32, '0'));
}

function writeUpload(path: string): void {
  writeFileSync(path, Buffer.alloc(size));
  const info = { ID: '0', Size: size, SizeIsDeferred: false, Offset: 0, MetaData: {} };
  writeFileSync(
    `${path}.info`,
    JSON.stringify({ ...info, IsPartial: false, IsFinal: false, PartialUploads: null }),
  );
}
