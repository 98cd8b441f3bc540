import { relative, sep } from 'node:path';
import { isUploadId } from '../../core/upload-id.js';
import { filesBelow } from '../../internal/files-below.js';
import { type LockFile, readLockFile } from './lock-file.js';

const suffix = '.lock';

/**
 * IDs below `directory` whose lock files belong to processes of ours that are dead. A file with nothing but a PID may be
 * tusd's, but also any other program's: it stays, and is replaced when its upload is asked for.
 */
export async function* deadLocks(
  directory: string,
  isDead: (file: LockFile) => Promise<boolean>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for await (const path of filesBelow(directory, signal)) {
    if (!path.endsWith(suffix)) continue;
    const id = relative(directory, path.slice(0, -suffix.length)).split(sep).join('/');
    const file = isUploadId(id) ? await readLockFile(path) : undefined;
    if (file?.address !== undefined && (await isDead(file))) yield id;
  }
}
