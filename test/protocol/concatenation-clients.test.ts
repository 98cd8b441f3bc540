import { randomBytes } from 'node:crypto';
import { Upload } from 'tus-js-client';
import { describe, expect, it } from 'vitest';
import { startServer } from './server.js';
import { basePath, download, head } from './tus.js';

describe('tus-js-client with parallelUploads', () => {
  it.each([false, true])('sends a file in four parts (removeParts: %s)', async (removeParts) => {
    const server = await startServer({ removeParts });
    const content = randomBytes(3_000_001);
    const url = await new Promise<string>((resolve, reject) => {
      const upload = new Upload(content, {
        endpoint: `http://127.0.0.1:${server.port}${basePath}`,
        parallelUploads: 4,
        chunkSize: 250_000,
        metadata: { filename: 'a.bin' },
        retryDelays: null,
        onSuccess: () => resolve(upload.url ?? ''),
        onError: reject,
      });
      upload.start();
    });
    const path = new URL(url).pathname;
    const inspected = await head(server, path);
    expect(inspected.header('upload-offset')).toBe(String(content.length));
    expect(inspected.header('upload-metadata')).toBe(`filename ${btoa('a.bin')}`);
    expect((await download(server, path)).equals(content)).toBe(true);
    expect(await server.files()).toHaveLength(removeParts ? 2 : 10);
  });
});
