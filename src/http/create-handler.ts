import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type https from 'node:https';
import { type Logger, silentLogger } from '../core/logger.js';
import type { UploadEventName, UploadListener } from '../core/upload-events.js';
import type { SweepOptions, SweepReport } from '../uploads/sweep.js';
import { respondUnlessConsumed } from './consumed-body.js';
import { type HandlerOptions, timeoutsOf } from './handler-options.js';
import { keepTarget, NodeExchange, requestTarget } from './node/node-exchange.js';
import { sendAnswer } from './node/send-answer.js';
import { Responder } from './responder.js';

/** A request listener for `node:http` and everything that is built on it. */
export interface Handler {
  (request: IncomingMessage, response: ServerResponse): void;
  /**
   * Sets up what belongs to the whole server: no time limit for a request (Node cuts uploads off after five minutes
   * otherwise), timeouts for headers and idle connections after `networkTimeoutMs`, `Expect: 100-continue` below the
   * base path answered only once a request is accepted, and the whole target of a request kept where a router cuts it
   * (koa-mount). Requests themselves still have to be given to the handler.
   */
  attach(server: http.Server | https.Server): void;
  /**
   * Calls `listener` after something has happened to an upload: it was made, has received bytes (every
   * `progressIntervalMs` and at the end of a request), is finished, is gone. Nobody waits for the listener, and what it
   * throws is logged: whoever wants a say uses hooks. Returns what ends the calls.
   */
  on(name: UploadEventName, listener: UploadListener): () => void;
  /**
   * Removes expired uploads, and what crashes have left behind; never a finished upload or one that is in use. Several
   * servers may sweep the same store at the same time.
   */
  sweep(options?: SweepOptions): Promise<SweepReport>;
  /** Interrupts what is being received (503), refuses more, and resolves when what had arrived is stored. */
  close(): Promise<void>;
}

/** Makes a handler of uploads for one's own program. */
export function createHandler(options: HandlerOptions): Handler {
  const timeouts = timeoutsOf(options);
  const { networkTimeoutMs } = timeouts;
  const logger = options.logger ?? silentLogger;
  const responder = new Responder(options);
  const awaitingContinue = new WeakSet<IncomingMessage>();
  const checkMounting = mountingCheck(logger);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Without a listener, the error of a lost connection would end the process.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    checkMounting(request);
    const exchange = new NodeExchange(request, response, {
      // First, or V8 makes a hidden class for each request.
      continueExpected: awaitingContinue.has(request),
      ...timeouts,
    });
    const answer = await respondUnlessConsumed(responder, exchange, request.readableDidRead);
    try {
      await sendAnswer(request, response, answer, networkTimeoutMs);
    } catch (error) {
      // A header that cannot be sent (a hook's) is worth an answer; a download that broke off is not.
      if (response.headersSent) response.destroy();
      else {
        const failure = await responder.refuse(exchange, error);
        await sendAnswer(request, response, failure, networkTimeoutMs);
      }
    } finally {
      exchange.end();
    }
  }

  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    void handle(request, response);
  };
  return Object.assign(handler, {
    attach(server: http.Server | https.Server): void {
      attachedServers.add(server);
      // Nobody stands between a server and the handler that is its listener.
      if (!server.listeners('request').includes(handler))
        server.prependListener('request', keepTarget);
      server.requestTimeout = 0;
      server.headersTimeout = networkTimeoutMs;
      server.keepAliveTimeout = networkTimeoutMs;
      server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        if (responder.owns(requestTarget(request))) awaitingContinue.add(request);
        else response.writeContinue();
        server.emit('request', request, response);
      });
    },
    on: (name: UploadEventName, listener: UploadListener) => responder.on(name, listener),
    sweep: (sweepOptions?: SweepOptions) => responder.sweep(sweepOptions),
    close: () => responder.close(),
  });
}

const attachedServers = new WeakSet<object>();

/** Warns once where the server that the handler is mounted in will break uploads. */
function mountingCheck(logger: Logger): (request: IncomingMessage) => void {
  let checked = false;
  return ({ socket }) => {
    if (checked) return;
    checked = true;
    const server = 'server' in socket ? socket.server : undefined;
    if (!(server instanceof http.Server) || attachedServers.has(server)) return;
    const problems = [
      server.requestTimeout > 0 &&
        `requests that take longer than ${server.requestTimeout} ms are cut off (requestTimeout)`,
      server.listenerCount('checkContinue') === 0 &&
        'clients that send Expect: 100-continue are told to go on before their request is accepted',
    ].filter((problem) => problem !== false);
    if (problems.length === 0) return;
    logger.log('warn', 'ServerNotAttached', {
      problem: problems.join('; '),
      hint: 'call handler.attach(server) once, with the http.Server that the handler is mounted in',
    });
  };
}
