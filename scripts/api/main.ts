import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type * as Contracts from 'tuskd/contracts';
import { formatMarkdown } from '../format-markdown.js';
import { PublicApi } from './public-api.js';
import { reference, undocumented } from './reference.js';
import { surface } from './surface.js';

const root = resolve(import.meta.dirname, '../../../..');

/** Writes the pages that are made from the declarations, or says which of them are out of date. */
async function main(checkOnly: boolean): Promise<void> {
  const contracts: typeof Contracts = await import(join(root, 'dist/contracts.js'));
  const api = new PublicApi(root);
  try {
    for (const name of undocumented(api)) fail(`${name} is public and has no comment`);
    const pages = { 'API.md': surface(api), 'docs/reference.md': reference(api, contracts) };
    for (const [path, text] of Object.entries(pages)) {
      writePage(path, formatMarkdown(root, text), checkOnly);
    }
  } finally {
    api.close();
  }
}

function writePage(path: string, text: string, checkOnly: boolean): void {
  const file = join(root, path);
  if (!checkOnly) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) fail(`${path} is out of date: npm run api`);
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

await main(process.argv.includes('--check'));
