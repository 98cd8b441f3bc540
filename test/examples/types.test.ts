import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { whyNoExamples } from './start-example.js';

const root = resolve(import.meta.dirname, '../..');
const reason = whyNoExamples();

it('the examples use the library as its types have it', { timeout: 60_000 }, async ({ skip }) => {
  skip(reason !== undefined, reason);
  const tsc = [resolve(root, 'node_modules/typescript/bin/tsc'), '-p', 'examples'];
  const checked = promisify(execFile)(process.execPath, tsc, { cwd: root });
  await expect(checked).resolves.toMatchObject({ stdout: '' });
});
