import type { Locker } from '../core/locker.js';
import type { Logger } from '../core/logger.js';
import { FileLocker } from '../lockers/file/file-locker.js';
import { MemoryLocker } from '../lockers/memory-locker.js';
import type { ParsedFlags } from './parse-flags.js';
import { StartError } from './start-error.js';

/** The locker that the flags describe; its `close()` frees all that was made for it. */
export async function openLocker(flags: ParsedFlags, logger: Logger): Promise<Locker> {
  switch (flags.get('locker')) {
    case 'memory':
      return new MemoryLocker();
    case 'redis': {
      // Only here, so that nobody else loads it.
      const { openRedisLocker } = await import('./redis-locker.js');
      return openRedisLocker(flags, logger);
    }
    case 'file':
      return new FileLocker({
        directory: flags.get('upload-dir'),
        dirPerms: flags.get('dir-perms'),
        filePerms: flags.get('file-perms'),
        holderPollIntervalMs: flags.get('filelock-holder-poll-interval'),
        acquirerPollIntervalMs: flags.get('filelock-acquirer-poll-interval'),
      });
  }
}

/**
 * Whether there can be such a locker, before workers are started that would each say the same.
 * @throws StartError
 */
export async function checkLocker(flags: ParsedFlags): Promise<void> {
  const locker = flags.get('locker');
  if (locker === 'memory' && flags.get('workers') > 1) {
    throw new StartError('-locker memory knows one process only, and -workers makes several');
  }
  if (locker !== 'redis') return;
  const { redisUrl, loadIoredis } = await import('./redis-locker.js');
  redisUrl(flags);
  await loadIoredis();
}
