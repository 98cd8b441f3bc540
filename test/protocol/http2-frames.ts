import { once } from 'node:events';
import net from 'node:net';
import { onTestFinished } from 'vitest';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export const frameTypes = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const endStream = 1;
export const endHeaders = 4;
export const acknowledge = 1;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A frame as it goes over the wire. */
export function frame(
  type: keyof typeof frameTypes,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(frameTypes[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header lines as literals without a name in a table, short or long. */
export function headerBlock(lines: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(lines).flatMap(([name, value]) => [
      Buffer.from([0]),
      ...[name, value].flatMap((text) => [lengthOf(text), Buffer.from(text, 'latin1')]),
    ]),
  );
}

/** A request's header block. */
export function requestBlock(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  return headerBlock({
    ':method': method,
    ':path': path,
    ':scheme': 'http',
    ':authority': 'uploads.example',
    'tus-resumable': '1.0.0',
    ...headers,
  });
}

export function settings(pairs: readonly (readonly [id: number, value: number])[] = []): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return frame('settings', 0, 0, payload);
}

/** A connection of HTTP/2 on which a test sends whatever it likes, and nothing is sent by itself. */
export class FrameClient {
  readonly socket: net.Socket;
  readonly frames: Frame[] = [];
  readonly #closed: Promise<unknown>;
  #bytes = Buffer.alloc(0);

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('data', (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#cut();
    });
  }

  static async connect(
    { port }: { readonly port: number },
    greeting = preface,
  ): Promise<FrameClient> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new FrameClient(socket);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(greeting);
    return client;
  }

  get closed(): Promise<unknown> {
    return this.#closed;
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  /** Resolves when the kernel has it, with whether it was taken. */
  send(...frames: readonly Uint8Array[]): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.socket.destroyed) return resolve(false);
      this.socket.once('close', () => resolve(false));
      this.socket.write(Buffer.concat(frames), (error) => resolve(!error));
    });
  }

  of(type: keyof typeof frameTypes): Frame[] {
    return this.frames.filter((each) => each.type === frameTypes[type]);
  }

  #cut(): void {
    while (this.#bytes.length >= 9) {
      const end = 9 + this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < end) return;
      this.frames.push({
        type: this.#bytes.readUInt8(3),
        flags: this.#bytes.readUInt8(4),
        stream: this.#bytes.readUInt32BE(5),
        payload: this.#bytes.subarray(9, end),
      });
      this.#bytes = this.#bytes.subarray(end);
    }
  }
}

function lengthOf(text: string): Buffer {
  const { length } = text;
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
