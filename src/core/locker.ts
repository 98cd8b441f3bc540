/**
 * Sees to it that one request at a time changes an upload, and that a newcomer never waits long for a dead or
 * silent one: it asks the holder to let go.
 *
 * - At most one {@link Lock} per ID is held at any moment within `capabilities.scope`, by lockers that share
 *   the same place (directory, server).
 * - Waiters get it first in, first out within one locker. Waiting MUST NOT cost CPU time.
 * - A holder that died MUST NOT block anyone for longer than `capabilities.leaseMs`; without a lease, not at all.
 * - Constructors MUST NOT do I/O.
 */
export interface Locker {
  readonly capabilities: LockerCapabilities;
  /**
   * Waits for the lock. While it waits, the holder's `requestRelease` is called; a holder that gets the lock
   * while others wait is asked at once.
   * @throws the signal's reason when `signal` fires first: then no lock is held, and none is taken later;
   * TusError ERR_INVALID_UPLOAD_ID where nothing can be locked under that ID; ERR_LOCK_UNAVAILABLE where the locks could
   * not be reached.
   */
  lock(id: string, options: LockOptions): Promise<Lock>;
  /**
   * Asks the holder, if there is one, to let go, and waits until it has, without taking the lock.
   * Resolves with whether there was one to wait for.
   * @throws the signal's reason; TusError ERR_LOCK_UNAVAILABLE
   */
  settle(id: string, options: LockWait): Promise<boolean>;
  /**
   * Whether somebody holds the lock at this moment, or died with it. Asks nobody and waits for nobody.
   * @throws TusError ERR_LOCK_UNAVAILABLE
   */
  isLocked(id: string): Promise<boolean>;
  /**
   * Removes what dead holders have left behind, such as the lock of a process that was killed and whose upload nobody
   * asks for any more. Resolves with how many such things it removed, or would remove in a `dryRun`. Undefined where
   * nothing stays.
   */
  sweep?(options: { readonly signal: AbortSignal; readonly dryRun: boolean }): Promise<number>;
  /** Frees what the locker itself holds (connections, files). No lock may be held or asked for any more. */
  close?(): Promise<void>;
}

/** What a locker promises. Data, as a store's capabilities are. */
export interface LockerCapabilities {
  /** Among whom it excludes: requests of one process, processes of one host, hosts. */
  readonly scope: 'process' | 'host' | 'cluster';
  /** How long a holder that died keeps others out, in milliseconds. */
  readonly leaseMs?: number;
}

/** How long to wait for a lock. */
export interface LockWait {
  /**
   * Ends the wait. It may be made only when it is read, which costs more than a lock that is free: a locker that has
   * nobody to wait for need not look at it, not even whether it has fired already.
   */
  readonly signal: AbortSignal;
}

/** How to take a lock, and what to do when others wait for it. */
export interface LockOptions extends LockWait {
  /**
   * The upload was made in this moment, and nobody outside this process has heard of its ID: a locker for several
   * processes MAY exclude only its own, and save itself the trip.
   */
  readonly isNew?: boolean;
  /**
   * Somebody else wants the lock. Called at most once a lock, at any time until `unlock()` resolves, never before
   * `lock()` has resolved. MUST NOT throw. The holder lets go as soon as it can; it need not.
   */
  readonly requestRelease: () => void;
}

/** A held lock. */
export interface Lock {
  /**
   * Rises with every holder of the same ID, across restarts: what a store compares so that a holder which was
   * thought dead cannot write any more. Undefined where locks have no leases.
   */
  readonly fence?: number;
  /**
   * Fires when the lock was lost before `unlock()`: nothing more may be stored or acknowledged. Reading it again tells
   * at once, where a timer of a process that stood still would be late. Undefined where that cannot happen.
   */
  readonly lost?: AbortSignal;
  /** Lets go. A second call, or one on a lost lock, does nothing and harms no other holder. MUST NOT reject. */
  unlock(): Promise<void>;
}
