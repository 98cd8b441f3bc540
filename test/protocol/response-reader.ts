/** A response as it came over the wire. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** Header lines in their order, names as sent. */
  readonly headerLines: readonly (readonly [name: string, value: string])[];
  /** Value of a header, whatever the case of its name; undefined where it is missing. Fails where it came twice. */
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
  readonly text: string;
  /** Statuses of the informational responses before this one. */
  readonly informational: readonly number[];
}

type Head = Pick<RawResponse, 'status' | 'reason' | 'headerLines' | 'header'>;

/** Cuts a stream of bytes into HTTP/1.1 responses. Strict: bytes that belong to no response fail the test. */
export class ResponseReader {
  #buffer = Buffer.alloc(0);
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;
  /** Bytes without which looking again is of no use: joining a large body for every piece of it would take minutes. */
  #neededBytes = 0;
  /** A large body in chunks: of its length nothing is known but that it ends with an empty line. */
  #awaitsLastChunk = false;
  #ended = false;
  #informational: number[] = [];

  push(bytes: Buffer): void {
    this.#arrived.push(bytes);
    this.#arrivedBytes += bytes.length;
  }

  end(): void {
    this.#ended = true;
  }

  #join(): void {
    if (this.#arrived.length === 0) return;
    this.#buffer = Buffer.concat([this.#buffer, ...this.#arrived]);
    this.#arrived = [];
    this.#arrivedBytes = 0;
  }

  /** Status of the next response, informational ones included, once its head is here. */
  peekStatus(): number | undefined {
    return this.#head()?.head.status;
  }

  /** The next final response; undefined while some of it is missing. */
  take(toHead: boolean): RawResponse | undefined {
    if (this.#buffer.length + this.#arrivedBytes < this.#neededBytes) return undefined;
    if (this.#awaitsLastChunk && !this.#ended && !this.#endsWithEmptyLine()) return undefined;
    this.#neededBytes = 0;
    this.#awaitsLastChunk = false;
    for (;;) {
      const found = this.#head();
      if (found === undefined) return undefined;
      const { head, length } = found;
      if (head.status < 200) {
        this.#informational.push(head.status);
        this.#buffer = this.#buffer.subarray(length);
        continue;
      }
      const rest = this.#buffer.subarray(length);
      const content = toHead || [204, 304].includes(head.status) ? none : this.#content(head, rest);
      if (content === undefined) {
        this.#neededBytes = length + Number(head.header('content-length') ?? 0);
        this.#awaitsLastChunk = rest.length > 256 * 1024 && isChunked(head);
        return undefined;
      }
      this.#buffer = rest.subarray(content.length);
      const informational = this.#informational;
      this.#informational = [];
      return { ...head, body: content.body, text: content.body.toString('utf8'), informational };
    }
  }

  #endsWithEmptyLine(): boolean {
    const end = Buffer.concat([this.#buffer.subarray(-4), ...this.#arrived.slice(-4)]);
    return end.toString('latin1').endsWith('\r\n\r\n');
  }

  #head(): { head: Head; length: number } | undefined {
    this.#join();
    const end = this.#buffer.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [statusLine = '', ...lines] = this.#buffer.toString('latin1', 0, end).split('\r\n');
    const [, status, reason = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
    if (status === undefined) throw new Error(`not a status line: ${statusLine}`);
    const headerLines = lines.map((line): [string, string] => {
      const [, name = '', value = ''] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
      if (name === '') throw new Error(`not a header line: ${line}`);
      return [name, value];
    });
    const header = (name: string): string | undefined => onlyValue(headerLines, name);
    return { head: { status: Number(status), reason, headerLines, header }, length: end + 4 };
  }

  #content(head: Head, rest: Buffer): { body: Buffer; length: number } | undefined {
    const length = head.header('content-length');
    if (isChunked(head)) return dechunk(rest);
    if (length === undefined) return this.#ended ? { body: rest, length: rest.length } : undefined;
    const count = Number(length);
    return rest.length < count ? undefined : { body: rest.subarray(0, count), length: count };
  }
}

function isChunked({ header }: Head): boolean {
  return header('transfer-encoding')?.toLowerCase() === 'chunked';
}

const none = { body: Buffer.alloc(0), length: 0 };

function onlyValue(lines: RawResponse['headerLines'], name: string): string | undefined {
  const values = lines.filter(([key]) => key.toLowerCase() === name.toLowerCase());
  if (values.length > 1) throw new Error(`${name} came ${values.length} times`);
  return values[0]?.[1];
}

function dechunk(bytes: Buffer): { body: Buffer; length: number } | undefined {
  const pieces: Buffer[] = [];
  let position = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', position);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', position, lineEnd), 16);
    const start = lineEnd + 2;
    if (bytes.length < start + size + 2) return undefined;
    position = start + size + 2;
    if (size === 0) return { body: Buffer.concat(pieces), length: position };
    pieces.push(bytes.subarray(start, start + size));
  }
}
