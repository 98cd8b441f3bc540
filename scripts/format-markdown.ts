import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Lays out a page as `npm run format` does. */
export function formatMarkdown(root: string, markdown: string): string {
  const formatter = join(root, 'node_modules/.bin/oxfmt');
  return execFileSync(formatter, ['--stdin-filepath=page.md'], {
    cwd: root,
    input: markdown,
    encoding: 'utf8',
  });
}
