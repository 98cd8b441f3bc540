import { once } from 'node:events';
import { access, stat } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createUpload } from './command-helper.js';

/** A PATCH on a connection of its own that has sent only the first of its bytes, all `x`. */
export class HalfSent {
  readonly location: string;
  /** Of the file in the upload directory. */
  readonly path: string;
  readonly #socket: net.Socket;
  readonly #left: number;
  #answer = '';

  private constructor(location: string, path: string, socket: net.Socket, left: number) {
    this.location = location;
    this.path = path;
    this.#socket = socket;
    this.#left = left;
    socket.setEncoding('latin1').on('data', (part: string) => (this.#answer += part));
    socket.on('error', () => undefined);
  }

  /** Creates an upload, begins to send it and waits until what was sent is stored. */
  static async begin(
    server: { readonly url: string; readonly directory: string },
    size: number,
    sent: number,
    headers: readonly string[] = [],
  ): Promise<HalfSent> {
    const location = await createUpload(server.url, size);
    return HalfSent.resume(server.directory, location, size, 0, sent, headers);
  }

  /** Begins to send the rest of an upload from `offset` on. */
  static async resume(
    directory: string,
    location: string,
    size: number,
    offset: number,
    sent: number,
    headers: readonly string[] = [],
  ): Promise<HalfSent> {
    const { pathname, hostname, port, host } = new URL(location);
    const path = join(directory, pathname.split('/').at(-1) ?? '');
    const socket = net.connect(Number(port), hostname);
    const half = new HalfSent(location, path, socket, size - offset - sent);
    socket.write(
      `PATCH ${pathname} HTTP/1.1\r\nHost: ${host}\r\nTus-Resumable: 1.0.0\r\n` +
        `Upload-Offset: ${offset}\r\nContent-Type: application/offset+octet-stream\r\n` +
        `Content-Length: ${size - offset}\r\nConnection: close\r\n` +
        `${headers.map((line) => `${line}\r\n`).join('')}\r\n`,
    );
    socket.write(Buffer.alloc(sent, 'x'));
    await expect.poll(async () => (await stat(path)).size, { timeout: 5000 }).toBe(offset + sent);
    return half;
  }

  /** Sends what is missing. */
  finish(): void {
    this.#socket.write(Buffer.alloc(this.#left, 'x'));
  }

  /** Closes the connection, and waits until the server has noticed. */
  async breakOff(): Promise<void> {
    this.#socket.destroy();
    await expect.poll(() => access(`${this.path}.lock`).catch(() => 'gone')).toBe('gone');
  }

  /** All that came back, once the server has closed the connection; empty if nothing did. */
  async answer(): Promise<string> {
    if (!this.#socket.closed) await once(this.#socket, 'close');
    return this.#answer;
  }
}
