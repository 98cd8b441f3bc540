import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type {
  Lock,
  Locker,
  LockerCapabilities,
  LockOptions,
  LockWait,
} from '../../dist/core/locker.js';
import { MemoryLocker } from '../../dist/lockers/memory-locker.js';

const { signal: lost } = new AbortController();
const never = (): AbortSignal => new AbortController().signal;

/** A locker that is right. Each of the others has one fault. */
class Sound implements Locker {
  readonly capabilities: LockerCapabilities = { scope: 'process' };
  protected readonly memory = new MemoryLocker();

  lock(id: string, options: LockOptions): Promise<Lock> {
    return this.memory.lock(id, options);
  }

  settle(id: string, options: LockWait): Promise<boolean> {
    return this.memory.settle(id, options);
  }

  isLocked(id: string): Promise<boolean> {
    return this.memory.isLocked(id);
  }
}

export class NeverLocked extends Sound {
  override async isLocked(): Promise<boolean> {
    return false;
  }
}

export class AsksWhenLookedAt extends Sound {
  override async isLocked(id: string): Promise<boolean> {
    const isLocked = await this.memory.isLocked(id);
    this.memory.settle(id, { signal: AbortSignal.timeout(50) }).catch(() => undefined);
    return isLocked;
  }
}

export class LetsEverybodyIn extends Sound {
  override async lock(): Promise<Lock> {
    return { lost, unlock: async () => undefined };
  }
}

/** The one who came last is served first. */
export class LastInFirstOut extends Sound {
  readonly #held = new Set<string>();
  readonly #stack: (() => void)[] = [];

  override async lock(id: string): Promise<Lock> {
    if (this.#held.has(id)) await new Promise<void>((resolve) => this.#stack.push(resolve));
    this.#held.add(id);
    const unlock = async (): Promise<void> => {
      const next = this.#stack.pop();
      if (next === undefined) this.#held.delete(id);
      else next();
    };
    return { lost, unlock };
  }
}

/** Whoever calls unlock() frees whatever lock the ID has by then. */
export class UnlocksById extends Sound {
  readonly #current = new Map<string, Lock>();

  override async lock(id: string, options: LockOptions): Promise<Lock> {
    const lock = await this.memory.lock(id, options);
    this.#current.set(id, lock);
    return { lost, unlock: async () => this.#current.get(id)?.unlock() };
  }
}

export class ForgetsToLookAtTheSignal extends Sound {
  override lock(id: string, options: LockOptions): Promise<Lock> {
    if (!options.signal.aborted) return this.memory.lock(id, options);
    return this.memory.lock(id, { ...options, signal: never() });
  }
}

/** Rejects when the signal fires, but keeps its place in the line. */
export class TakesTheLockAfterAll extends Sound {
  override async lock(id: string, options: LockOptions): Promise<Lock> {
    options.signal.throwIfAborted();
    const aborted = new Promise<never>((_, reject) =>
      options.signal.addEventListener('abort', () => reject(options.signal.reason)),
    );
    return Promise.race([this.memory.lock(id, { ...options, signal: never() }), aborted]);
  }
}

export class PollsBusily extends Sound {
  readonly #held = new Map<string, () => void>();

  override async lock(id: string, options: LockOptions): Promise<Lock> {
    for (let isAsked = false; this.#held.has(id); isAsked = true) {
      if (!isAsked) this.#held.get(id)?.();
      await turnOfTheLoop();
      options.signal.throwIfAborted();
    }
    this.#held.set(id, options.requestRelease);
    const unlock = async (): Promise<void> => void this.#held.delete(id);
    return { lost, unlock };
  }
}

/** Passes every wish on to the holder. */
export class AsksAgainAndAgain extends Sound {
  readonly #holders = new Map<string, () => void>();

  override async lock(id: string, options: LockOptions): Promise<Lock> {
    this.#holders.get(id)?.();
    const lock = await this.memory.lock(id, { ...options, requestRelease: () => undefined });
    this.#holders.set(id, options.requestRelease);
    return lock;
  }
}

/** Takes a request that waits for the holder. */
export class AsksTooEarly extends Sound {
  override lock(id: string, options: LockOptions): Promise<Lock> {
    options.requestRelease();
    return this.memory.lock(id, options);
  }
}

/** Asks those who hold when somebody comes, not those who get the lock while somebody waits. */
export class AsksNewcomersOnly extends Sound {
  readonly #holders = new Map<string, () => void>();

  override async lock(id: string, options: LockOptions): Promise<Lock> {
    this.#holders.get(id)?.();
    this.#holders.delete(id);
    const lock = await this.memory.lock(id, { ...options, requestRelease: () => undefined });
    this.#holders.set(id, options.requestRelease);
    return lock;
  }
}

export class SettlesAtOnce extends Sound {
  override async settle(): Promise<boolean> {
    return true;
  }
}

export class SettlesWithTheLock extends Sound {
  override async settle(id: string, { signal }: LockWait): Promise<boolean> {
    const hasHolder = await this.memory.settle(id, { signal });
    await this.memory.lock(id, { signal, requestRelease: () => undefined });
    return hasHolder;
  }
}
