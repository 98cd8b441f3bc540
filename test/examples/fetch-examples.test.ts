import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../protocol/server.js';
import {
  examples,
  type FetchRuntime,
  fetchRuntimes,
  pathOf,
  whyMissing,
} from '../runtimes/runtimes.js';
import { skipIfMissing } from '../services/skip-if-missing.js';
import { startExample } from './start-example.js';
import { uploadAndResume } from './upload-and-resume.js';

/** What runs `server.mjs` of an example; this Node by default. */
const commands: Partial<Record<FetchRuntime, [string, ...string[]]>> = {
  bun: [pathOf('bun')],
  deno: [pathOf('deno'), 'run', '--allow-all', '--unstable-no-legacy-abort'],
};

describe('examples', () => {
  it.for(fetchRuntimes)(
    '%s: an interrupted upload goes on and arrives',
    async (runtime, { skip }) => {
      skipIfMissing(skip, whyMissing(runtime));
      if (runtime === 'next') await buildNextExample();
      const directory = await temporaryDirectory();
      const command = commands[runtime];
      const { url } = await startExample(`${runtime}/server.mjs`, {
        directory,
        env: { NODE_ENV: 'production' },
        ...(command && { command }),
      });
      const file = await uploadAndResume(url);
      const id = file.url.slice(url.length);
      expect(sha256(await readFile(join(directory, 'uploads', id)))).toBe(file.sha256);
      const sent = await fetch(file.url);
      expect(sha256(new Uint8Array(await sent.arrayBuffer()))).toBe(file.sha256);
    },
  );
});

async function buildNextExample(): Promise<void> {
  await promisify(execFile)(pathOf('next'), ['build', join(examples, 'next')], {
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
