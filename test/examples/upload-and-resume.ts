import { createHash, randomBytes } from 'node:crypto';
import { ClientRequest } from 'node:http';
import { type HttpRequest, Upload } from 'tus-js-client';
import { expect } from 'vitest';

const MiB = 1024 * 1024;
const chunkSize = 3 * MiB;
const size = 2 * chunkSize + 2 * MiB + 123;

/** A file as its client knows it once all is uploaded. */
export interface UploadedFile {
  readonly url: string;
  readonly size: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** The offset at which the client went on after its connection had broken. */
  readonly resumedAt: number;
}

/**
 * Uploads 8 MiB in three chunks with tus-js-client. In the middle of the second chunk the connection breaks once, and the
 * client resumes by itself.
 */
export async function uploadAndResume(endpoint: string): Promise<UploadedFile> {
  const bytes = randomBytes(size);
  const methods: string[] = [];
  const line = new BreakingLine();
  let resumedAt = -1;
  const url = await new Promise<string>((resolve, reject) => {
    const upload = new Upload(bytes, {
      endpoint,
      chunkSize,
      metadata: { filename: 'random.bin', filetype: 'application/octet-stream' },
      retryDelays: [0, 100, 500, 1000],
      onBeforeRequest: (request) => {
        methods.push(request.getMethod());
        line.watch(request);
      },
      onProgress: (sent) => {
        if (sent > chunkSize) line.breakOnce();
      },
      onAfterResponse: (request, response) => {
        if (request.getMethod() === 'HEAD') resumedAt = Number(response.getHeader('Upload-Offset'));
      },
      onSuccess: () => resolve(upload.url ?? ''),
      onError: reject,
    });
    upload.start();
  });
  expect(methods.filter((method) => method === 'POST' || method === 'HEAD')).toEqual([
    'POST',
    'HEAD',
  ]);
  expect(resumedAt).toBeGreaterThanOrEqual(chunkSize);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { url, size, sha256, resumedAt };
}

/** Breaks the connection of one request once a MiB of it has gone out. */
class BreakingLine {
  #request: HttpRequest | undefined;
  #done = false;

  watch(request: HttpRequest): void {
    this.#request = request;
  }

  breakOnce(): void {
    if (this.#done) return;
    this.#done = true;
    const request: unknown = this.#request?.getUnderlyingObject();
    if (!(request instanceof ClientRequest)) throw new Error('no request is under way');
    // The client tells of its progress only ten times a second: too seldom to count by. The connection has served others.
    let atFirst: number | undefined;
    request.on('drain', () => {
      const { socket } = request;
      atFirst ??= socket?.bytesWritten ?? 0;
      if ((socket?.bytesWritten ?? 0) - atFirst > MiB) socket?.destroy();
    });
  }
}
