import type { Lock, LockWait } from '../core/locker.js';

/**
 * Who is whose turn, first in, first out for each ID, within one process. Nothing is polled: a waiter is a callback
 * in a line, and the end of a turn calls the next one.
 */
export class LockQueue {
  readonly #turns = new Map<string, Turn>();

  /**
   * Waits for its turn, and asks whoever has it. Without `requestRelease` the turn is not asked before
   * {@link Turn.onAsk} says whom to call.
   * @throws the signal's reason
   */
  enter(id: string, wait: LockWait, requestRelease?: () => void): Promise<Turn> {
    const turn = new Turn((line) => this.#pass(id, line), requestRelease);
    const current = this.#turns.get(id);
    if (current === undefined) {
      this.#turns.set(id, turn);
      return Promise.resolve(turn);
    }
    const { signal } = wait;
    if (signal.aborted) return rejected(signal);
    current.ask();
    current.line ??= new Set();
    return waitInLine(current.line, signal, () => {
      this.#turns.set(id, turn);
      return turn;
    });
  }

  /**
   * Asks whoever has the turn now and waits until it has ended. Those who wait in line are not waited for: each of
   * them is asked as soon as it has its turn, but there may be no end of them.
   * @throws the signal's reason
   */
  settle(id: string, wait: LockWait): Promise<boolean> {
    const current = this.#turns.get(id);
    if (current === undefined) return Promise.resolve(false);
    const { signal } = wait;
    return signal.aborted ? rejected(signal) : current.end(signal);
  }

  isTaken(id: string): boolean {
    return this.#turns.has(id);
  }

  #pass(id: string, line: Set<() => void> | undefined): void {
    const [next] = line ?? [];
    if (line === undefined || next === undefined) {
      this.#turns.delete(id);
      return;
    }
    next();
    const turn = this.#turns.get(id);
    if (turn === undefined || line.size === 0) return;
    turn.line = line;
    turn.ask();
  }
}

/** A turn in a {@link LockQueue}; as it is, the lock of a locker that knows one process only. */
export class Turn implements Lock {
  /** Those who wait for this turn's end to have theirs; made when the first one comes. */
  line: Set<() => void> | undefined;
  #observers: Set<() => void> | undefined;
  #pass: ((line: Set<() => void> | undefined) => void) | undefined;
  #requestRelease: (() => void) | undefined;
  #isAsked = false;

  constructor(pass: (line: Set<() => void> | undefined) => void, requestRelease?: () => void) {
    this.#pass = pass;
    this.#requestRelease = requestRelease;
  }

  /** Somebody wants the lock. Only the first call counts. */
  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#call();
  }

  /** From now on this is to be called when somebody wants the lock; soon, if somebody does already. */
  onAsk(requestRelease: () => void): void {
    this.#requestRelease = requestRelease;
    if (this.#isAsked) this.#call();
  }

  /** Nobody is to be called any more: the holder is letting go. */
  mute(): void {
    this.#requestRelease = undefined;
  }

  /** Asks, and waits for the end of this turn. */
  end(signal: AbortSignal): Promise<true> {
    this.ask();
    this.#observers ??= new Set();
    return waitInLine(this.#observers, signal, () => true);
  }

  unlock(): Promise<void> {
    this.mute();
    this.#pass?.(this.line);
    this.#pass = undefined;
    for (const observer of this.#observers ?? []) observer();
    return Promise.resolve();
  }

  #call(): void {
    if (this.#requestRelease === undefined) return;
    // A tick that is scheduled among the microtasks runs after all of them. So whatever stands between this turn and
    // the holder's `await lock()`, however many promises deep, has run before the holder is asked.
    queueMicrotask(() => process.nextTick(() => this.#requestRelease?.()));
  }
}

/**
 * Waits until the callback that it puts into `line` is called; `onTurn` runs within that call.
 * @throws the signal's reason; the callback has left the line then
 */
export function waitInLine<T>(
  line: Set<() => void>,
  signal: AbortSignal,
  onTurn: () => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const turn = (): void => {
      line.delete(turn);
      signal.removeEventListener('abort', leave);
      resolve(onTurn());
    };
    const leave = (): void => {
      line.delete(turn);
      reject(signal.reason);
    };
    line.add(turn);
    signal.addEventListener('abort', leave, { once: true });
  });
}

async function rejected(signal: AbortSignal): Promise<never> {
  throw signal.reason;
}
