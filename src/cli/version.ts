import { readFileSync } from 'node:fs';

/** Version of this package. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest && manifest.version;
  return typeof version === 'string' ? version : 'unknown';
}

/** What `tuskd -version` prints, in tusd's form. */
export function versionText(): string {
  return `Version: ${packageVersion()}\nNode.js: ${process.version}\n`;
}
