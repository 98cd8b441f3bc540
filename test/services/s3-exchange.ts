import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type S3Call, s3Call } from './s3-call.js';

// A connection for each request: one that is kept may be closed by the server just when it is used again.
const agent = new http.Agent({ keepAlive: false });

/** How much of what a connection brought was accounted for. */
const accounted = new WeakMap<Socket, number>();

/** A request of a client to S3 and its answer, which come to pass as a fault wants it. */
export class S3Exchange {
  readonly call: S3Call;
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  /** Why the exchange broke off; undefined where it did not, or a fault had it so. */
  failure: unknown;
  readonly #upstream: URL;
  readonly #bytesBefore: number;
  #bodyBytes = 0;
  #allBytes = 0;

  constructor(request: http.IncomingMessage, response: http.ServerResponse, upstream: URL) {
    this.call = s3Call(request);
    this.request = request;
    this.response = response;
    this.#upstream = upstream;
    this.#bytesBefore = accounted.get(request.socket) ?? 0;
    this.#account();
    // What the server sends, and nothing of ours.
    response.sendDate = false;
  }

  /** Bytes of the body that have come in: with the chunks and trailers of a streaming signature, where it has one. */
  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  /** Bytes that have come in for this request, headers included. */
  get allBytes(): number {
    return this.#allBytes;
  }

  /** Of the answer; undefined before it, and where there is none. */
  get status(): number | undefined {
    return this.response.headersSent ? this.response.statusCode : undefined;
  }

  /** What the client sends, for whoever does not send the request on: a client that waits for it is told to begin. */
  async *body(): AsyncGenerator<Buffer> {
    const { request, response } = this;
    if (request.headers.expect === '100-continue' && !response.headersSent)
      response.writeContinue();
    yield* this.#counted();
  }

  /** Reads the body to its end, or until so many bytes of it have come. */
  async discardBody(limit = Infinity): Promise<void> {
    const chunks = this.body();
    while (this.#bodyBytes < limit && !(await chunks.next()).done);
  }

  /** Sends the request on as it is, body and all, and resolves with the answer once its head is there. */
  async forward(): Promise<http.IncomingMessage> {
    const { request, response } = this;
    const outgoing = http.request({
      agent,
      host: this.#upstream.hostname,
      port: this.#upstream.port,
      method: request.method,
      path: request.url,
      headers: request.rawHeaders,
    });
    outgoing.on('continue', () => response.writeContinue());
    response.once('close', () => outgoing.destroy());
    const answered = once(outgoing, 'response');
    // Who waits for the answer hears of it; after the answer, it is no news.
    outgoing.on('error', () => undefined);
    outgoing.flushHeaders();
    this.#send(outgoing).catch((error: Error) => outgoing.destroy(error));
    const [answer]: http.IncomingMessage[] = await answered;
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  /** Answers with the head and the body of the server's answer. */
  async relay(answer: http.IncomingMessage): Promise<void> {
    this.response.writeHead(answer.statusCode ?? 500, answer.statusMessage, answer.rawHeaders);
    await pipeline(answer, this.response);
  }

  /** Answers with an error as S3 words it. */
  answerError(status: number, code: string): void {
    const xml = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>${code}</Code><Message>Injected by a test</Message><RequestId>test</RequestId></Error>`;
    this.response.writeHead(status, { 'Content-Type': 'application/xml' }).end(xml);
  }

  async #send(outgoing: http.ClientRequest): Promise<void> {
    for await (const chunk of this.#counted()) {
      // A server may answer and close before it has read all; the rest still comes.
      if (!outgoing.destroyed && !outgoing.write(chunk)) {
        await drained(outgoing);
      }
    }
    outgoing.end();
  }

  async *#counted(): AsyncGenerator<Buffer> {
    const chunks: AsyncIterable<Buffer> = this.request.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) {
      this.#bodyBytes += chunk.length;
      this.#account();
      yield chunk;
    }
    this.#account();
  }

  #account(): void {
    const { socket } = this.request;
    this.#allBytes = socket.bytesRead - this.#bytesBefore;
    accounted.set(socket, socket.bytesRead);
  }
}

/** Once there is room again, or nobody left to write to. */
function drained(outgoing: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    function done(): void {
      outgoing.off('drain', done).off('close', done);
      resolve();
    }
    outgoing.on('drain', done).on('close', done);
  });
}
