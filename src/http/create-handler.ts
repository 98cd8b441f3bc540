import { silentLogger } from '../core/logger.js';
import type { UploadEventName, UploadListener } from '../core/upload-events.js';
import type { SweepOptions, SweepReport } from '../uploads/sweep.js';
import { respondUnlessConsumed } from './consumed-body.js';
import { type HandlerOptions, timeoutsOf } from './handler-options.js';
import { Http2Sessions } from './node/http2-sessions.js';
import { mountingCheck } from './node/mounting-check.js';
import { keepTarget, NodeExchange, requestTarget } from './node/node-exchange.js';
import {
  bodySource,
  isHttp2Server,
  type NodeRequest,
  type NodeResponse,
  type NodeServer,
} from './node/node-message.js';
import { sendAnswer } from './node/send-answer.js';
import { Responder } from './responder.js';

/** A request listener for `node:http`, `node:https`, `node:http2` and everything that is built on them. */
export interface Handler {
  (request: NodeRequest, response: NodeResponse): void;
  /**
   * Sets up what belongs to the whole server: no time limit for a request (Node cuts uploads off after five minutes
   * otherwise), timeouts for headers and idle connections after `networkTimeoutMs`, `Expect: 100-continue` below the
   * base path answered only once a request is accepted, and the whole target of a request kept where a router cuts it
   * (koa-mount). Over HTTP/2, windows in which uploads are fast, and at most 128 streams at once for each connection,
   * whatever its `settings` say. Requests themselves still have to be given to the handler.
   */
  attach(server: NodeServer): void;
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
  /**
   * Goes on with final uploads that a crash has kept from being put together of their parts: called once when a server
   * starts. Otherwise the next request for such an upload does it. Before each sweep of `sweepIntervalMs` it comes by
   * itself. Never rejects: what fails is logged.
   */
  completeWaiting(): Promise<void>;
  /**
   * Interrupts what is being received (503), refuses more, and resolves when what had arrived is stored. Connections of
   * HTTP/2 servers that it is attached to end with what is still answered on them.
   */
  close(): Promise<void>;
}

/** Makes a handler of uploads for one's own program. */
export function createHandler(options: HandlerOptions): Handler {
  const timeouts = timeoutsOf(options);
  const { networkTimeoutMs } = timeouts;
  const logger = options.logger ?? silentLogger;
  const responder = new Responder(options, { trailers: true });
  const awaitingContinue = new WeakSet<NodeRequest>();
  const checkMounting = mountingCheck(logger, attachedServers);
  const http2Sessions = new Http2Sessions();

  async function handle(request: NodeRequest, response: NodeResponse): Promise<void> {
    // Without a listener, the error of a lost connection would end the process.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    checkMounting(request);
    const exchange = new NodeExchange(request, response, {
      // First, or V8 makes a hidden class for each request.
      continueExpected: awaitingContinue.has(request),
      ...timeouts,
    });
    const answer = await respondUnlessConsumed(
      responder,
      exchange,
      bodySource(request).readableDidRead,
    );
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

  const handler = (request: NodeRequest, response: NodeResponse): void => {
    void handle(request, response);
  };
  return Object.assign(handler, {
    attach(server: NodeServer): void {
      attachedServers.add(server);
      // Nobody stands between a server and the handler that is its listener.
      if (!server.listeners('request').includes(handler))
        server.prependListener('request', keepTarget);
      // Servers of HTTP/2 have them, too, for clients of HTTP/1.1.
      Object.assign(server, {
        requestTimeout: 0,
        headersTimeout: networkTimeoutMs,
        keepAliveTimeout: networkTimeoutMs,
      });
      if (isHttp2Server(server)) http2Sessions.attach(server, networkTimeoutMs);
      server.on('checkContinue', (request: NodeRequest, response: NodeResponse) => {
        if (responder.owns(requestTarget(request))) awaitingContinue.add(request);
        else response.writeContinue();
        server.emit('request', request, response);
      });
    },
    on: (name: UploadEventName, listener: UploadListener) => responder.on(name, listener),
    sweep: (sweepOptions?: SweepOptions) => responder.sweep(sweepOptions),
    completeWaiting: () => responder.completeWaiting(),
    close: async () => {
      await responder.close();
      http2Sessions.close();
    },
  });
}

const attachedServers = new WeakSet<object>();
