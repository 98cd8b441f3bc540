import { createHash } from 'node:crypto';
import type { Locker } from '../core/locker.js';

/** A locker that locks under hashes of the IDs: those of S3 are longer than a file's name may be. */
export function withShortNames(locker: Locker): Locker {
  return {
    capabilities: locker.capabilities,
    lock: (id, options) => locker.lock(shorten(id), options),
    settle: (id, options) => locker.settle(shorten(id), options),
    isLocked: (id) => locker.isLocked(shorten(id)),
    ...(locker.sweep && { sweep: locker.sweep.bind(locker) }),
    close: async () => locker.close?.(),
  };
}

function shorten(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
