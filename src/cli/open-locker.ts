import type { Locker } from '../core/locker.js';
import type { Logger } from '../core/logger.js';
import { FileLocker } from '../lockers/file/file-locker.js';
import { MemoryLocker } from '../lockers/memory-locker.js';
import { FileStore } from '../stores/file/file-store.js';
import type { ParsedFlags } from './parse-flags.js';
import { StartError, startStep } from './start-error.js';
import { withShortNames } from './with-short-names.js';

/** The locker that the flags describe; its `close()` frees all that was made for it. */
export async function openLocker(flags: ParsedFlags, logger: Logger): Promise<Locker> {
  switch (lockerKind(flags)) {
    case 'memory':
      return new MemoryLocker();
    case 'redis': {
      // Only here, so that nobody else loads it.
      const { openRedisLocker } = await import('./redis-locker.js');
      return openRedisLocker(flags, logger);
    }
    case 'file': {
      const locker = new FileLocker({
        directory: flags.get('upload-dir'),
        dirPerms: flags.get('dir-perms'),
        filePerms: flags.get('file-perms'),
        holderPollIntervalMs: flags.get('filelock-holder-poll-interval'),
        acquirerPollIntervalMs: flags.get('filelock-acquirer-poll-interval'),
      });
      return usesS3(flags) ? withShortNames(locker) : locker;
    }
  }
}

/**
 * tusd has the memory locker for S3. It does not know of other processes, so workers need the file locker: they share a host.
 */
function lockerKind(flags: ParsedFlags): 'file' | 'memory' | 'redis' {
  const kind = flags.get('locker');
  if (kind !== 'auto') return kind;
  return usesS3(flags) && flags.get('workers') === 1 ? 'memory' : 'file';
}

function usesS3(flags: ParsedFlags): boolean {
  return flags.get('s3-bucket') !== '';
}

/** Who else may use the bucket, to be told at the start; undefined where there is nothing to be wary of. */
export function lockerWarning(flags: ParsedFlags): string | undefined {
  const kind = lockerKind(flags);
  if (!usesS3(flags) || kind === 'redis') return undefined;
  return kind === 'memory'
    ? 'Using locks in memory: no other process may serve this bucket. Several machines need -locker redis.'
    : `Using '${flags.get('upload-dir')}' for locks: no other machine may serve this bucket. Several need -locker redis.`;
}

/**
 * Whether there can be such a locker, before workers are started that would each say the same.
 * @throws StartError
 */
export async function checkLocker(flags: ParsedFlags): Promise<void> {
  const locker = lockerKind(flags);
  if (locker === 'memory' && flags.get('workers') > 1) {
    throw new StartError('-locker memory knows one process only, and -workers makes several');
  }
  if (locker === 'file' && usesS3(flags)) {
    const [directory, dirPerms] = [flags.get('upload-dir'), flags.get('dir-perms')];
    await startStep(`use ${directory} as the directory of locks`, () =>
      new FileStore({ directory, dirPerms }).prepare(),
    );
  }
  if (locker !== 'redis') return;
  const { redisUrl, loadIoredis } = await import('./redis-locker.js');
  redisUrl(flags);
  await loadIoredis();
}
