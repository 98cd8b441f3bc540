/** The first line and the fields of a request or an answer. */
export interface Head {
  readonly line: string;
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface TapEvents {
  /** Returns the bytes of the body that follows. */
  readonly onHead: (head: Head) => number;
  readonly onBody: (bytes: number) => void;
}

const headEnd = Buffer.from('\r\n\r\n');

/**
 * Follows the HTTP/1.1 messages that go by in one direction of a connection, without touching them. Bodies need a
 * known length: that is all that uploads use.
 */
export class HttpTap {
  readonly #events: TapEvents;
  #head: Buffer = Buffer.alloc(0);
  #bodyLeft = 0;

  constructor(events: TapEvents) {
    this.#events = events;
  }

  feed(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) rest = this.#bodyLeft > 0 ? this.#feedBody(rest) : this.#feedHead(rest);
  }

  #feedBody(bytes: Buffer): Buffer {
    const length = Math.min(this.#bodyLeft, bytes.length);
    this.#bodyLeft -= length;
    this.#events.onBody(length);
    return bytes.subarray(length);
  }

  #feedHead(bytes: Buffer): Buffer {
    const text = Buffer.concat([this.#head, bytes]);
    const end = text.indexOf(headEnd);
    if (end === -1) {
      this.#head = text;
      return Buffer.alloc(0);
    }
    this.#head = Buffer.alloc(0);
    this.#bodyLeft = this.#events.onHead(parseHead(text.toString('latin1', 0, end)));
    return text.subarray(end + headEnd.length);
  }
}

/** What Content-Length says, 0 without one. */
export function contentLength({ fields }: Head): number {
  if (fields.has('transfer-encoding'))
    throw new Error('A body without a length cannot be followed');
  return Number(fields.get('content-length') ?? 0);
}

function parseHead(text: string): Head {
  const [line = '', ...lines] = text.split('\r\n');
  const fields = new Map<string, string>();
  for (const field of lines) {
    const colon = field.indexOf(':');
    fields.set(field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim());
  }
  return { line, fields };
}
