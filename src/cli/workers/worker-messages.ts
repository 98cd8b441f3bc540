/** Variable in a worker's environment: which of the workers it is, from 1. One that takes a dead one's place has its number. */
export const workerNumber = 'TUSKD_WORKER';

/** Variable in a worker's environment: `true` where it takes the place of one that died. */
export const replacesDead = 'TUSKD_WORKER_REPLACES_DEAD';

/** What the first process tells a worker. */
export type ToWorker =
  /** Comes with a socket. */
  | { readonly type: 'connection'; readonly id: number }
  /** Finish, and exit. */
  | { readonly type: 'shutdown' };

/** What a worker tells the first process. */
export type FromWorker =
  | { readonly type: 'ready' }
  /** The connection has arrived: nobody else needs it any more. */
  | { readonly type: 'accepted'; readonly id: number }
  /** One of those that it had accepted. */
  | { readonly type: 'closed' };

export function isToWorker(message: unknown): message is ToWorker {
  const type = typeOf(message);
  return type === 'shutdown' || (type === 'connection' && hasId(message));
}

export function isFromWorker(message: unknown): message is FromWorker {
  const type = typeOf(message);
  return type === 'ready' || type === 'closed' || (type === 'accepted' && hasId(message));
}

function typeOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'type' in message && message.type;
}

function hasId(message: unknown): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'id' in message &&
    typeof message.id === 'number'
  );
}
