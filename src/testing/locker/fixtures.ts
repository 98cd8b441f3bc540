import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lock, Locker } from '../../core/locker.js';

/** Fails what should have happened by now, in milliseconds. Far more than a remote locker needs. */
const patienceMs = 5000;
/** How long nothing may happen to believe that nothing will, in milliseconds. */
const quietMs = 50;

/** `promise`, or a failure that says what did not happen. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const giveUp = new AbortController();
  const tooLate = sleep(patienceMs, undefined, { signal: giveUp.signal }).then(() =>
    assert.fail(`not within ${patienceMs} ms: ${what}`),
  );
  // Its own failure after that is nobody's concern.
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    giveUp.abort();
  }
}

/** Time for what must not happen. */
export function quiet(): Promise<void> {
  return sleep(quietMs);
}

/** One request for a lock. */
export class Claim {
  /** Times that `requestRelease` was called. */
  asked = 0;
  /** What `lock()` brought, once it has. */
  lock: Lock | undefined;
  /** Whether the caller of `lock()` had heard of his lock when he was first asked. */
  knewWhenAsked: boolean | undefined;
  readonly #abort = new AbortController();
  readonly #whenAsked: Promise<void>;
  readonly #taking: Promise<Lock>;

  constructor(locker: Locker, id: string, signal?: AbortSignal) {
    let askedOnce = (): void => undefined;
    this.#whenAsked = new Promise((resolve) => (askedOnce = resolve));
    this.#taking = this.#take(locker, id, signal ?? this.#abort.signal, () => {
      this.knewWhenAsked ??= this.lock !== undefined;
      this.asked++;
      askedOnce();
    });
    // A case that expects a failure looks at it itself.
    this.#taking.catch(() => undefined);
  }

  /** The lock, which must come soon. */
  taken(): Promise<Lock> {
    return soon(this.#taking, 'the lock');
  }

  /** Waits until the holder is asked to let go. */
  wished(): Promise<void> {
    return soon(this.#whenAsked, 'the call of requestRelease');
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** Passes once the request failed with exactly this reason. */
  async failed(reason: unknown): Promise<void> {
    const outcome = await soon(
      this.#taking.then(
        () => 'a lock',
        (error: unknown) => error,
      ),
      'the end of the wait',
    );
    assert.equal(outcome, reason);
  }

  /** Waits for the lock and lets go. */
  async pass(): Promise<void> {
    await unlock(await this.taken());
  }

  async #take(
    locker: Locker,
    id: string,
    signal: AbortSignal,
    requestRelease: () => void,
  ): Promise<Lock> {
    const lock = await locker.lock(id, { signal, requestRelease });
    this.lock = lock;
    return lock;
  }
}

/** A request that has its lock. */
export async function hold(locker: Locker, id: string): Promise<Claim & { readonly lock: Lock }> {
  const claim = new Claim(locker, id);
  const lock = await claim.taken();
  return Object.assign(claim, { lock });
}

export function unlock(lock: Lock): Promise<void> {
  return soon(lock.unlock(), 'the end of unlock()');
}

/** An unlock that comes late, of a lock that has gone to `current` since, must not free that one. */
export async function assertHarmless(locker: Locker, late: Lock, current: Lock): Promise<void> {
  await unlock(late);
  const next = new Claim(locker, 'upload');
  await quiet();
  assert.equal(next.lock, undefined);
  await unlock(current);
  await next.pass();
}

/** A `settle()` under way. */
export function settle(locker: Locker, id: string, signal = neverAborted()): Promise<boolean> {
  const settling = locker.settle(id, { signal });
  settling.catch(() => undefined);
  return settling;
}

/** Passes if nobody holds the lock, and nobody waits to get it. */
export async function assertFree(locker: Locker, id: string): Promise<void> {
  await quiet();
  assert.equal(await soon(settle(locker, id), 'settle()'), false, `${id} is free`);
  await (await hold(locker, id)).pass();
}

function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

/** Lets a crowd of claims come and go, and counts how many hold the lock at once. */
export async function contend(
  lockers: readonly Locker[],
  id: string,
  crowd: number,
): Promise<void> {
  let inside = 0;
  let served = 0;
  const visits = Array.from({ length: crowd }, async (_, index) => {
    const locker = lockers[index % lockers.length];
    assert.ok(locker);
    const lock = await new Claim(locker, id).taken();
    inside++;
    assert.equal(inside, 1, 'holders at once');
    await sleep(index % 3);
    inside--;
    served++;
    await unlock(lock);
  });
  await Promise.all(visits);
  assert.equal(served, crowd);
}
