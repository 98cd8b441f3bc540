import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { releaseChangelog } from './release-changelog.js';

// Run by `npm version`, which has raised the version and will commit.
const root = resolve(import.meta.dirname, '../../..');
const file = resolve(root, 'CHANGELOG.md');
const { version }: { version: string } = JSON.parse(
  readFileSync(resolve(root, 'package.json'), 'utf8'),
);
const today = new Date().toISOString().slice(0, 'yyyy-mm-dd'.length);
try {
  writeFileSync(file, releaseChangelog(readFileSync(file, 'utf8'), version, today));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
