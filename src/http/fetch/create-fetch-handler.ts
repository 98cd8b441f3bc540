import type { UploadEventName, UploadListener } from '../../core/upload-events.js';
import type { SweepOptions, SweepReport } from '../../uploads/sweep.js';
import { respondUnlessConsumed } from '../consumed-body.js';
import { type HandlerOptions, timeoutsOf } from '../handler-options.js';
import { Responder } from '../responder.js';
import { FetchExchange } from './fetch-exchange.js';
import { toResponse } from './to-response.js';

/** What a `Request` does not tell. */
export interface RequestDetails {
  /** `address:port` of the client, for hooks; empty by default. */
  readonly remoteAddress?: string;
}

/** A request handler for everything that speaks in web `Request`s and `Response`s. */
export interface FetchHandler {
  /**
   * Never rejects. Some runtimes and frameworks hand over a second argument of their own (a server, a context): of an
   * object that has no `remoteAddress`, nothing is read.
   */
  (request: Request, details?: RequestDetails | object): Promise<Response>;
  /** As that of `Handler`: calls `listener` after something has happened to an upload. Returns what ends the calls. */
  on(name: UploadEventName, listener: UploadListener): () => void;
  /**
   * Removes expired uploads, and what crashes have left behind; never a finished upload or one that is in use. Several
   * servers may sweep the same store at the same time.
   */
  sweep(options?: SweepOptions): Promise<SweepReport>;
  /**
   * Goes on with final uploads that a crash has kept from being put together of their parts: called once when a server
   * starts. Otherwise the next request for such an upload does it. Before each sweep of `sweepIntervalMs` it comes by
   * itself. Never rejects: what fails is logged.
   */
  completeWaiting(): Promise<void>;
  /** Interrupts what is being received (503), refuses more, and resolves when what had arrived is stored. */
  close(): Promise<void>;
}

/**
 * Makes a handler of uploads for a program that has no `node:http`: Hono, Next.js, Bun, Deno and others.
 *
 * The web's interface has no word for some of what the handler for `node:http` does. `Expect: 100-continue` is answered
 * by the runtime, before a request is accepted. After an early answer (the request is refused, or another one has
 * taken over) the runtime decides how much of the body it still reads, and whether the connection can be used again. A
 * GET or HEAD has no body, so X-HTTP-Method-Override cannot make an upload of one. Time limits of the server are set
 * where the server is made.
 */
export function createFetchHandler(options: HandlerOptions): FetchHandler {
  const timeouts = timeoutsOf(options);
  const responder = new Responder(options, { trailers: false });

  async function handle(request: Request, details: object = {}): Promise<Response> {
    const exchange = new FetchExchange(request, {
      remoteAddress: remoteAddressIn(details),
      ...timeouts,
    });
    const answer = await respondUnlessConsumed(responder, exchange, wasRead(request));
    exchange.end();
    try {
      return toResponse(answer, exchange, timeouts.networkTimeoutMs);
    } catch (error) {
      // A header that cannot be sent (a hook's) is worth an answer.
      const failure = await responder.refuse(exchange, error);
      return toResponse(failure, exchange, timeouts.networkTimeoutMs);
    }
  }

  return Object.assign(handle, {
    on: (name: UploadEventName, listener: UploadListener) => responder.on(name, listener),
    sweep: (sweepOptions?: SweepOptions) => responder.sweep(sweepOptions),
    completeWaiting: () => responder.completeWaiting(),
    close: () => responder.close(),
  });
}

function remoteAddressIn(details: object): string {
  return 'remoteAddress' in details && typeof details.remoteAddress === 'string'
    ? details.remoteAddress
    : '';
}

function wasRead({ bodyUsed, body }: Request): boolean {
  return bodyUsed || (body?.locked ?? false);
}
