import { TusError } from '../core/errors.js';
import type { RequestContext } from '../core/exchange.js';
import type { Lock } from '../core/locker.js';
import { withDeadline } from './deadline.js';
import type { Environment } from './environment.js';

/** The lock as the operation under it sees it. */
export interface HeldLock extends Pick<Lock, 'fence' | 'lost'> {
  /**
   * Calls `letGo` when another request wants the upload, at once if one does already. Only what can stop early
   * registers here; everything else makes the newcomer wait.
   */
  onReleaseRequest(letGo: (() => void) | undefined): void;
}

/**
 * Runs `run` under the lock of upload `id`.
 *
 * @throws TusError ERR_UPLOAD_LOCKED where the holder did not let go in time, ERR_CONNECTION_RESET where the client
 * left while waiting.
 */
export async function withLock<T>(
  env: Environment,
  id: string,
  context: RequestContext,
  run: (held: HeldLock) => Promise<T>,
): Promise<T> {
  let requested = false;
  let letGo: (() => void) | undefined;
  const requestRelease = (): void => {
    requested = true;
    letGo?.();
  };
  const lock = await waitForUpload(env, context, (signal) =>
    env.locker.lock(id, { signal, requestRelease }),
  );
  try {
    return await run({
      ...(lock.fence !== undefined && { fence: lock.fence }),
      lost: lock.lost,
      onReleaseRequest(callback) {
        letGo = callback;
        if (requested) callback?.();
      },
    });
  } finally {
    await lock.unlock();
  }
}

/** Waits until nobody writes to the upload any more; resolves with whether somebody did. */
export function settle(env: Environment, id: string, context: RequestContext): Promise<boolean> {
  return waitForUpload(env, context, (signal) => env.locker.settle(id, { signal }));
}

function waitForUpload<T>(
  env: Environment,
  context: RequestContext,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withDeadline(context.disconnected, env.acquireLockTimeoutMs, lockTimeout, wait);
}

// 423 where tusd has 500: nothing is wrong with the server, and tus-js-client tries again on both.
function lockTimeout(): TusError {
  return new TusError('ERR_UPLOAD_LOCKED', { headers: { 'Retry-After': '1' } });
}
