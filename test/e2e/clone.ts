import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** A folder as a newcomer has it, for the length of a test: a clone with its dependencies, to the eye of the module loader. */
export async function clone(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tuskd-readme-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const name of ['node_modules', 'package.json', 'dist']) {
    await symlink(join(root, name), join(folder, name));
  }
  return folder;
}

/** A page's code blocks of one language, with the port that a test can have. */
export async function codeBlocks(page: string, language: string, port: number): Promise<string[]> {
  const text = await readFile(join(root, page), 'utf8');
  const blocks = text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'));
  return [...blocks].map(([, code = '']) => code.replaceAll(/8080|8443/g, String(port)));
}
