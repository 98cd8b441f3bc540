export interface Response {
  readonly status: number;
  /** Status line and headers as they came. */
  readonly head: string;
  readonly bodyBytes: number;
}

const headEnd = '\r\n\r\n';
const lastChunk = Buffer.from('0\r\n\r\n');

/**
 * Finds where an HTTP response ends, and counts its body without keeping it. One response at a time, no pipelining,
 * and only as much of the grammar as the measured servers use: what is not measured must cost nothing.
 */
export class ResponseReader {
  #bodiless = false;
  #head = '';
  #inBody = false;
  /** Undefined where the body is chunked. */
  #bodyLength: number | undefined;
  #bodyBytes = 0;

  /** Begins with a response. @param method of its request */
  expect(method: string): void {
    this.#bodiless = method === 'HEAD';
    this.#head = '';
    this.#inBody = false;
    this.#bodyBytes = 0;
  }

  /** Takes what has arrived; returns the response with its last byte. */
  take(bytes: Buffer): Response | undefined {
    return this.#inBody ? this.#takeBody(bytes) : this.#takeHead(bytes);
  }

  #takeHead(bytes: Buffer): Response | undefined {
    const before = this.#head.length;
    const text = this.#head + bytes.toString('latin1');
    const end = text.indexOf(headEnd);
    this.#head = end === -1 ? text : text.slice(0, end);
    if (end === -1) return undefined;
    this.#inBody = true;
    const length = headerOf(this.#head, 'content-length') ?? '0';
    const chunked = headerOf(this.#head, 'transfer-encoding') !== undefined;
    this.#bodyLength = chunked ? undefined : Number(length);
    // An interim answer (100) is not the answer.
    if (statusOf(this.#head) < 200) throw new Error(`Unexpected ${this.#head}`);
    if (this.#bodiless || statusOf(this.#head) === 204) this.#bodyLength = 0;
    return this.#takeBody(bytes.subarray(end + headEnd.length - before));
  }

  #takeBody(bytes: Buffer): Response | undefined {
    this.#bodyBytes += bytes.length;
    const complete =
      this.#bodyLength === undefined
        ? bytes.subarray(-lastChunk.length).equals(lastChunk)
        : this.#bodyBytes >= this.#bodyLength;
    if (!complete) return undefined;
    return { status: statusOf(this.#head), head: this.#head, bodyBytes: this.#bodyBytes };
  }
}

/** The value of a header by its lower-case name. */
export function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(head)?.[1];
}

function statusOf(head: string): number {
  return Number(head.slice(9, 12));
}
