import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { whyNoExamples } from './start-example.js';

const root = resolve(import.meta.dirname, '../..');
const reason = whyNoExamples();

it('the examples use the library as its types have it', { timeout: 60_000 }, ({ skip }) => {
  skip(reason !== undefined, reason);
  const tsc = [resolve(root, 'node_modules/typescript/bin/tsc'), '-p', 'examples'];
  const { stdout, status } = spawnSync(process.execPath, tsc, { cwd: root, encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});
