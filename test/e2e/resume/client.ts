import { createReadStream } from 'node:fs';
import { Agent } from 'node:http';
import { DefaultHttpStack, type HttpResponse, Upload, type UploadOptions } from 'tus-js-client';
import { FileSlices } from './file-slices.js';

export interface ClientOptions {
  readonly endpoint: string;
  readonly path: string;
  /** Bytes of a request at most; undefined sends all in one. */
  readonly chunkSize: number | undefined;
  /** Tells the length of the upload only with its last request. */
  readonly deferLength: boolean;
  /** One connection for many requests. */
  readonly keepAlive: boolean;
}

/** More than any outage lasts: what is measured is the server, not the client's patience. */
const retryDelays = [0, ...Array.from({ length: 1000 }, () => 20)];

/**
 * As tus-js-client decides, and where another request interrupted this one: over two servers, one that the client has
 * given up long ago may come in late.
 */
function shouldRetry(response: HttpResponse | null): boolean {
  const status = response?.getStatus() ?? 0;
  const isRefused = status >= 400 && status < 500 && status !== 409 && status !== 423;
  return !isRefused || (response?.getBody().startsWith('ERR_UPLOAD_INTERRUPTED') ?? false);
}

/** A user of tus-js-client who uploads one file, is interrupted, and comes back. */
export class Client {
  readonly #options: ClientOptions;
  /** Resolves when the client believes that all is done; rejects when it gives up. */
  readonly done: Promise<void>;
  #succeed: () => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #upload: Upload | undefined;
  #url: string | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.done = new Promise((resolve, reject) => {
      this.#succeed = resolve;
      this.#fail = reject;
    });
  }

  /** Begins, or goes on as somebody who knows no more than the upload's URL. */
  start(): void {
    const { path, deferLength } = this.#options;
    const upload = new Upload(createReadStream(path), {
      ...this.#uploadOptions(),
      ...(deferLength && { uploadLengthDeferred: true, fileReader: new FileSlices(path) }),
    });
    this.#upload = upload;
    upload.start();
  }

  /** Closes the connection in the middle of whatever goes on. */
  abort(): void {
    void this.#upload?.abort();
  }

  #uploadOptions(): UploadOptions {
    const { endpoint, chunkSize, keepAlive } = this.#options;
    return {
      // Without an endpoint, an upload that the server does not know is an error and not the begin of another.
      ...(this.#url === undefined ? { endpoint } : { uploadUrl: this.#url }),
      ...(chunkSize !== undefined && { chunkSize }),
      retryDelays,
      onShouldRetry: ({ originalResponse }) => shouldRetry(originalResponse),
      httpStack: new DefaultHttpStack({ agent: new Agent({ keepAlive }) }),
      // The client does not wait for the 100, but it shows when the server began to take the body.
      onBeforeRequest: (request) => {
        if (request.getMethod() === 'PATCH') request.setHeader('Expect', '100-continue');
      },
      onUploadUrlAvailable: () => {
        this.#url = this.#upload?.url ?? undefined;
      },
      onSuccess: () => this.#succeed(),
      onError: (error) => this.#fail(error),
    };
  }
}
