import type { Body } from '../core/body.js';
import type { Upload, WriteResult } from '../core/data-store.js';
import type { RequestContext } from '../core/exchange.js';
import { AbandonableWrite } from './abandonable-write.js';
import { HeldBody } from './held-body.js';
import { onAbort } from './on-abort.js';
import type { HeldLock } from './with-lock.js';

/** A request's body on its way to the store. */
export interface Incoming {
  readonly context: RequestContext;
  readonly held: HeldLock;
}

/** Nothing is stored any more once the lock is lost or the work for this request is given up. */
export async function storeWhileHeld(
  handle: Upload,
  offset: number,
  body: Body,
  { context, held }: Incoming,
  provisional: boolean,
): Promise<WriteResult> {
  const writing = new AbandonableWrite(body, held.fence, context.bodyLength, provisional);
  const forgetLoss = onAbort(held.lost, () => writing.abandon('ERR_LOCK_LOST'));
  const forgetEnd = context.onAbandoned(() => writing.abandon('ERR_CONNECTION_RESET'));
  held.onReleaseRequest(() => body.stop('interrupted'));
  try {
    const result = await handle.writeChunk(offset, new HeldBody(body, held), writing);
    if (held.lost?.aborted) writing.abandon('ERR_LOCK_LOST');
    return writing.reason === undefined ? result : { ...result, error: writing.reason };
  } finally {
    held.onReleaseRequest(undefined);
    forgetLoss();
    forgetEnd();
  }
}
