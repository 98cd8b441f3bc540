import { text } from 'node:stream/consumers';
import type { S3Exchange } from './s3-exchange.js';

/** What is done with a request instead of sending it on and its answer back. */
export type S3Fault = (exchange: S3Exchange) => Promise<void>;

/** An error in place of the operation, which is not done. An `early` answer does not wait for
 * the body. */
export function fail(status: number, code: string, { early = false } = {}): S3Fault {
  return async (exchange) => {
    if (early) exchange.answerError(status, code);
    await exchange.discardBody();
    if (!early) exchange.answerError(status, code);
  };
}

/** The operation is done, and yet the client is told of an error. */
export function failAfter(status: number, code: string): S3Fault {
  return async (exchange) => {
    await text(await exchange.forward());
    exchange.answerError(status, code);
  };
}

/** The operation is done, but the client loses its connection before it hears of it. */
export const loseAnswer: S3Fault = async (exchange) => {
  await text(await exchange.forward());
  exchange.request.socket.resetAndDestroy();
};

/** The client loses its connection after so many bytes of its body, and the operation is not done. */
export function reset(afterBytes = 0): S3Fault {
  return async (exchange) => {
    if (afterBytes > 0) await exchange.discardBody(afterBytes);
    exchange.request.socket.resetAndDestroy();
  };
}

/** An error behind a status of success, as Amazon sends it where the operation takes long. It is not done. */
export function errorIn200(code: string): S3Fault {
  return fail(200, code);
}

/** No answer until the proxy is closed. */
export const stall: S3Fault = async (exchange) => exchange.discardBody();

/** Changes the body of the server's answer; takes its time where `change` does. */
export function transformAnswer(change: (body: string) => string | Promise<string>): S3Fault {
  return async (exchange) => {
    const answer = await exchange.forward();
    const { 'content-length': _, 'transfer-encoding': _coding, ...headers } = answer.headers;
    const body = await change(await text(answer));
    exchange.response.writeHead(answer.statusCode ?? 500, headers).end(body);
  };
}

/** Leaves the last parts out of a list of parts, as a server does that lags behind its writes. */
export function hideNewestParts(count = 1): S3Fault {
  return transformAnswer((xml) => {
    const parts = [...xml.matchAll(/<Part>.*?<\/Part>/gs)];
    const end = parts.at(-count)?.index ?? parts[0]?.index;
    return end === undefined ? xml : xml.slice(0, end) + xml.slice(xml.lastIndexOf('</Part>') + 7);
  });
}

export interface Hold {
  readonly fault: S3Fault;
  /** Resolves when a request is being held. */
  readonly reached: Promise<void>;
  /** Lets it go on, and those that come later. */
  release(): void;
}

/** Holds a request, before anything of it is sent on, until the test releases it: so that tests order events without waiting. */
export function hold(): Hold {
  const [reached, released] = [new Gate(), new Gate()];
  return {
    reached: reached.opened,
    release: () => released.open(),
    async fault(exchange) {
      reached.open();
      await released.opened;
      await exchange.relay(await exchange.forward());
    },
  };
}

class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}
