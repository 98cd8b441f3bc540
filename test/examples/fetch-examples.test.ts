import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type HttpRequest, Upload } from 'tus-js-client';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../protocol/server.js';
import {
  examples,
  type FetchRuntime,
  fetchRuntimes,
  pathOf,
  whyMissing,
} from '../runtimes/runtimes.js';
import { startExample } from './start-example.js';

const MiB = 1024 * 1024;

/** What runs `server.mjs` of an example; this Node by default. */
const commands: Partial<Record<FetchRuntime, [string, ...string[]]>> = {
  bun: [pathOf('bun')],
  deno: [pathOf('deno'), 'run', '--allow-all', '--unstable-no-legacy-abort'],
};

describe('examples', () => {
  it.for(fetchRuntimes)(
    '%s: an interrupted upload goes on and arrives',
    async (runtime, { skip }) => {
      const reason = whyMissing(runtime);
      skip(reason !== undefined, reason);
      if (runtime === 'next') await buildNextExample();
      const directory = await temporaryDirectory();
      const command = commands[runtime];
      const { url } = await startExample(`${runtime}/server.mjs`, {
        directory,
        env: { NODE_ENV: 'production' },
        ...(command && { command }),
      });
      const content = randomBytes(64 * MiB);
      const { uploadUrl, offsets } = await uploadWithInterruption(content, url);
      expect(offsets).toHaveLength(2);
      expect(offsets[0]).toBe(0);
      expect(offsets[1]).toBeGreaterThan(0);
      const id = uploadUrl.slice(uploadUrl.lastIndexOf('/') + 1);
      expect(sha256(await readFile(join(directory, 'uploads', id)))).toBe(sha256(content));
      const sent = await fetch(uploadUrl);
      expect(sha256(new Uint8Array(await sent.arrayBuffer()))).toBe(sha256(content));
    },
  );
});

/** Loses its connection in the middle, and goes on by itself. Gives back where each PATCH began. */
function uploadWithInterruption(
  content: Buffer,
  endpoint: string,
): Promise<{ uploadUrl: string; offsets: number[] }> {
  const offsets: number[] = [];
  let current: HttpRequest | undefined;
  return new Promise((resolve, reject) => {
    const upload = new Upload(content, {
      endpoint,
      retryDelays: [0, 100, 1000],
      onBeforeRequest: (request) => {
        if (request.getMethod() !== 'PATCH') return;
        current = request;
        offsets.push(Number(request.getHeader('Upload-Offset')));
      },
      onProgress: (sent) => {
        if (offsets.length > 1 || sent < 16 * MiB) return;
        const sending: unknown = current?.getUnderlyingObject();
        if (sending instanceof http.ClientRequest) sending.destroy(new Error('the line is cut'));
      },
      onError: reject,
      onSuccess: () => resolve({ uploadUrl: upload.url ?? '', offsets }),
    });
    upload.start();
  });
}

async function buildNextExample(): Promise<void> {
  await promisify(execFile)(pathOf('next'), ['build', join(examples, 'next')], {
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
