import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useInstalledPackage } from './installed-package.js';

const installed = useInstalledPackage();

describe('the packed package', () => {
  it('has the program with its types, the pages for users, and nothing else', () => {
    const { files } = installed();
    const other = files.filter(
      (path) => !/^dist\/.*\.(?:js|d\.ts)$|^docs\/[\w-]+\.(?:md|svg)$/.test(path),
    );
    expect(other.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    const programs = files.filter((path) => path.endsWith('.js'));
    const types = files.filter((path) => path.endsWith('.d.ts'));
    expect(types).toEqual(programs.map((path) => path.replace(/js$/, 'd.ts')));
  });

  it('refers to no source map, and its pages to no page that is left out', async () => {
    const { folder, files } = installed();
    for (const path of files) {
      const text = await readFile(join(folder, path), 'utf8');
      expect(text, path).not.toContain('sourceMappingURL');
      if (!path.startsWith('docs/')) continue;
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        expect(files, `a link in ${path}`).toContain(join(dirname(path), link));
      }
    }
  });

  // `npx tuskd` loads it on a machine that has nothing: three stores, three lockers, every extension, the suites and the pages. A fifth more, and
  // somebody should ask what is in there.
  it('is small: less than 430 kB to load', () => {
    expect(installed().size).toBeLessThan(430_000);
  });

  it('brings no other package along, and asks for none', async () => {
    const { manifest, project } = installed();
    for (const kind of ['dependencies', 'optionalDependencies']) {
      expect(manifest).not.toHaveProperty(kind);
    }
    // What the command can use where it is there.
    const { peerDependencies, peerDependenciesMeta } = manifest;
    const optional = ['@aws-sdk/client-s3', '@aws-sdk/s3-request-presigner', 'ioredis'];
    expect(Object.keys(peerDependencies)).toEqual(optional);
    expect(peerDependenciesMeta).toEqual(
      Object.fromEntries(optional.map((name) => [name, { optional: true }])),
    );
    const lock: { packages: object } = JSON.parse(
      await readFile(join(project, 'package-lock.json'), 'utf8'),
    );
    expect(Object.keys(lock.packages)).toEqual(['', 'node_modules/tuskd']);
  });

  it('has commands that can be executed', async () => {
    const { manifest, folder } = installed();
    expect(Object.keys(manifest.bin)).toContain('tuskd');
    for (const path of Object.values(manifest.bin)) {
      const { mode } = await stat(join(folder, path));
      expect(mode & 0o111, path).toBe(0o111);
      expect(await readFile(join(folder, path), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    }
  });
});
