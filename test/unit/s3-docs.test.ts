import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { s3Profiles } from '../../dist/stores/s3/s3-profile.js';

it('has docs/s3.md as the profiles of the providers are', async () => {
  const page = await readFile(new URL('../../docs/s3.md', import.meta.url), 'utf8');
  const rows = page.replaceAll(/ +/g, ' ').split('\n');
  const yes = (value: boolean): string => (value ? 'yes' : 'no');
  for (const [name, profile] of Object.entries(s3Profiles)) {
    const { equalParts, conditionalWrites, foldersCollide, maxNameBytes } = profile;
    const cells = [name, yes(equalParts), yes(conditionalWrites), yes(!foldersCollide)];
    expect(rows).toContain(`| ${cells.join(' | ')} | ${maxNameBytes} |`);
  }
});
