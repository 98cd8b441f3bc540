import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Upload } from 'tus-js-client';
import { expect } from 'vitest';
import type { Line } from './start-cluster.js';

export interface ClientUploadOptions {
  readonly line: Line;
  readonly size: number;
  /** Bytes of a request. */
  readonly chunkSize: number;
}

/** An upload of random bytes by tus-js-client, which is left to its own retries. */
export class ClientUpload {
  /** In hexadecimal. */
  readonly sha256: string;
  /** Settles with the upload. */
  readonly ended: Promise<void>;
  readonly line: Line;
  readonly #upload: Upload;
  readonly #events = new EventEmitter();
  #sent = 0;
  #isFinished = false;

  constructor({ line, size, chunkSize }: ClientUploadOptions) {
    this.line = line;
    const bytes = randomBytes(size);
    this.sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#upload = new Upload(bytes, {
      endpoint: line.url,
      chunkSize,
      retryDelays: [0, 100, 300, 1000, 1000, 2000, 2000, 3000, 3000],
      onProgress: (sent) => (this.#sent = sent),
      onError: (error) => this.#events.emit('error', error),
      onSuccess: () => this.#events.emit('success'),
    });
    this.ended = once(this.#events, 'success').then(() => void (this.#isFinished = true));
    // Whoever waits for it, waits in the end.
    this.ended.catch(() => undefined);
    this.#upload.start();
  }

  get url(): string {
    return this.#upload.url ?? '';
  }

  get id(): string {
    return this.url.split('/').at(-1) ?? '';
  }

  /** Of its object in S3. */
  get key(): string {
    return this.id.split('+')[0] ?? '';
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Waits until so many bytes are on their way. */
  async untilSent(bytes: number): Promise<void> {
    await expect.poll(() => this.#sent, { timeout: 20_000 }).toBeGreaterThanOrEqual(bytes);
  }
}
