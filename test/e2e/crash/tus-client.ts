import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Message {
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, as it is handed to the connection: piece after piece. */
  readonly pieces?: readonly Buffer[];
  /** Sent behind the body, which is chunked then. */
  readonly trailer?: { readonly name: string; readonly value: string };
  /** Close the connection after so many pieces, and wait for no answer. */
  readonly breakAfter?: number;
}

/** A client on a connection of its own, which tells of each step: a head, a piece, an answer. */
export class TusClient {
  readonly #port: number;
  readonly #onStep: () => void;
  /** How often there was which answer to which method. */
  readonly answers = new Map<string, number>();
  /** A connection ended that should not have. */
  isLost = false;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number, onStep: () => void) {
    this.#port = port;
    this.#onStep = onStep;
  }

  /** Undefined where the connection ended before there was an answer. */
  async send(method: string, path: string, message: Message = {}): Promise<Answer | undefined> {
    const { headers = {}, pieces = [], trailer, breakAfter } = message;
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const sent = request({
      host: '127.0.0.1',
      port: this.#port,
      agent: this.#agent,
      method,
      path,
      headers: {
        'Tus-Resumable': '1.0.0',
        ...headers,
        ...(trailer ? { 'Transfer-Encoding': 'chunked', Trailer: trailer.name } : {}),
        ...(!trailer && pieces.length > 0 && { 'Content-Length': String(length) }),
      },
    });
    const answered = answerTo(sent);
    sent.flushHeaders();
    this.#onStep();
    for (const [index, piece] of pieces.entries()) {
      if (index === breakAfter) break;
      const written = new Promise<void>((resolve) => sent.write(piece, () => resolve()));
      // Whoever answers early, or dies, takes no more.
      if ((await Promise.race([written, answered.then(() => 'over')])) === 'over') break;
      this.#onStep();
    }
    if (breakAfter !== undefined && breakAfter < pieces.length) {
      sent.destroy();
      return undefined;
    }
    if (trailer) sent.addTrailers({ [trailer.name]: trailer.value });
    sent.end();
    const answer = await answered;
    if (answer === undefined) this.isLost = true;
    const name = `${method} ${answer?.status ?? 'unanswered'}`;
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
    this.#onStep();
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function answerTo(sent: ReturnType<typeof request>): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    sent.on('error', () => resolve(undefined));
    sent.on('close', () => resolve(undefined));
    sent.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', () => resolve(undefined));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(pieces),
        }),
      );
    });
  });
}
