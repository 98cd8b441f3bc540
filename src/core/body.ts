/**
 * Why a body has come to its end.
 *
 * - `complete`: all of it arrived
 * - `disconnected`: the client went away in the middle
 * - `idle`: the client sent nothing for too long
 * - `interrupted`: another request for the same upload took over
 * - `stopped`: the server (a hook) put an end to it
 * - `shutdown`: the server is going down
 * - `too-large`: more arrived than is allowed; what is allowed was handed out
 * - `abandoned`: the work for the request was given up, or the lock was lost; what had arrived is thrown away
 */
export type BodyEnd =
  | 'complete'
  | 'disconnected'
  | 'idle'
  | 'interrupted'
  | 'stopped'
  | 'shutdown'
  | 'too-large'
  | 'abandoned';

/** A reason for the server to end a body early. */
export type StopReason = Exclude<BodyEnd, 'complete' | 'disconnected'>;

/**
 * The bytes of a request as they come in.
 *
 * It never fails: a lost connection, a timeout and an interruption all look like its end, so that a store
 * keeps what it got and has nothing to tell apart. Only the operation looks at {@link endReason}.
 */
export interface Body {
  /**
   * Everything that has arrived since the last call, at least one byte, waiting for it if there is nothing
   * yet; null at the end. The first call tells the client that its request is accepted (100 Continue).
   *
   * One call at a time. The arrays are the caller's: they are never written again. What arrives meanwhile is
   * held up to a bound, then the client is slowed down.
   */
  next(): Promise<Uint8Array[] | null>;
  /**
   * Stop receiving now: a waiting `next()` settles at once; what has arrived is still handed out before the
   * null, save with `abandoned`, after which nothing is. The first reason stays, and once the body has ended only
   * `abandoned` still does something.
   */
  stop(reason: StopReason): void;
  /** Undefined until it has ended, even if what arrived was not yet fetched. */
  readonly endReason: BodyEnd | undefined;
  /** Trailer fields with lower-case names, once `endReason` is `complete`; undefined where the transport has none. */
  readonly trailers?: Readonly<Record<string, string>> | undefined;
}
