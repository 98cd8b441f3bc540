import { TusError } from '../core/errors.js';
import type { Answer, Exchange } from '../core/exchange.js';
import type { Responder } from './responder.js';

/**
 * The answer to `exchange`, or a clear failure where a body parser in front of the handler has eaten the upload: its
 * bytes are gone, and to wait for them would be to hang.
 */
export async function respondUnlessConsumed(
  responder: Responder,
  exchange: Exchange,
  bodyWasRead: boolean,
): Promise<Answer> {
  return bodyWasRead && exchange.bodyLength !== 0
    ? responder.refuse(exchange, consumedError())
    : responder.respond(exchange);
}

function consumedError(): TusError {
  return new TusError('ERR_INTERNAL_SERVER_ERROR', {
    detail:
      'the request body was consumed before it reached the upload handler; mount the handler before any body parser',
    cause: new Error('a body parser in front of the upload handler has read the body'),
  });
}
