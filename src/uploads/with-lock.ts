import { TusError } from '../core/errors.js';
import type { Lock, LockOptions } from '../core/locker.js';
import { Deadline } from './deadline.js';
import type { Environment } from './environment.js';
import type { WorkContext } from './background.js';

/** The lock as the operation under it sees it. */
export interface HeldLock {
  readonly fence: number | undefined;
  readonly lost: AbortSignal | undefined;
  /**
   * Calls `letGo` when another request wants the upload, at once if one does already. Only what can stop early
   * registers here; everything else makes the newcomer wait.
   */
  onReleaseRequest(letGo: (() => void) | undefined): void;
}

/**
 * Runs `run` under the lock of upload `id`; `isNew` where nobody else can have heard of it yet.
 *
 * @throws TusError ERR_UPLOAD_LOCKED where the holder did not let go in time, ERR_CONNECTION_RESET where the client
 * left while waiting.
 */
export async function withLock<T>(
  env: Environment,
  id: string,
  context: WorkContext,
  run: (held: HeldLock) => Promise<T>,
  isNew = false,
): Promise<T> {
  const wish = new LockWish(env, context, isNew);
  const lock = await env.locker.lock(id, wish).finally(() => wish.end());
  try {
    return await run(new Held(lock, wish));
  } finally {
    await lock.unlock();
  }
}

/** Waits until nobody writes to the upload any more. */
export async function settle(env: Environment, id: string, context: WorkContext): Promise<void> {
  const wait = new Deadline(context, env.acquireLockTimeoutMs, lockTimeout);
  await env.locker.settle(id, wait).finally(() => wait.end());
}

/** What a request tells the locker, and what the locker tells the request. */
class LockWish extends Deadline implements LockOptions {
  readonly isNew: boolean;
  #isRequested = false;
  #letGo: (() => void) | undefined;

  constructor(env: Environment, context: WorkContext, isNew: boolean) {
    super(context, env.acquireLockTimeoutMs, lockTimeout);
    this.isNew = isNew;
  }

  readonly requestRelease = (): void => {
    this.#isRequested = true;
    this.#letGo?.();
  };

  onReleaseRequest(letGo: (() => void) | undefined): void {
    this.#letGo = letGo;
    if (this.#isRequested) letGo?.();
  }
}

class Held implements HeldLock {
  readonly #lock: Lock;
  readonly #wish: LockWish;

  constructor(lock: Lock, wish: LockWish) {
    this.#lock = lock;
    this.#wish = wish;
  }

  get fence(): number | undefined {
    return this.#lock.fence;
  }

  /** Many a lock makes it when it is first read. */
  get lost(): AbortSignal | undefined {
    return this.#lock.lost;
  }

  onReleaseRequest(letGo: (() => void) | undefined): void {
    this.#wish.onReleaseRequest(letGo);
  }
}

// 423 where tusd has 500: nothing is wrong with the server, and tus-js-client tries again on both.
function lockTimeout(): TusError {
  return new TusError('ERR_UPLOAD_LOCKED', { headers: { 'Retry-After': '1' } });
}
