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
   * @throws the signal's reason when `signal` fires first, also when it had fired before: then no lock is held,
   * and none is taken later; TusError ERR_INVALID_UPLOAD_ID where nothing can be locked under that ID.
   */
  lock(id: string, options: LockOptions): Promise<Lock>;
  /**
   * Asks the holder, if there is one, to let go, and waits until it has, without taking the lock.
   * Resolves with whether there was one to wait for.
   * @throws the signal's reason
   */
  settle(id: string, options: { readonly signal: AbortSignal }): Promise<boolean>;
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

/** How long to wait for a lock, and what to do when others wait for it. */
export interface LockOptions {
  /** Ends the waiting. Means nothing any more once the lock is held. */
  readonly signal: AbortSignal;
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
  /** Fires when the lock was lost before `unlock()`: nothing more may be stored or acknowledged. */
  readonly lost: AbortSignal;
  /** Lets go. A second call, or one on a lost lock, does nothing and harms no other holder. MUST NOT reject. */
  unlock(): Promise<void>;
}
