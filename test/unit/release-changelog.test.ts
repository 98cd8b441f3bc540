import { describe, expect, it } from 'vitest';
import { releaseChangelog } from '../../scripts/release-changelog.js';

const date = '2026-02-03';

function changelog(unreleased: string): string {
  return `# Changelog\n\n## Unreleased\n\n${unreleased}## 0.1.0 - 2026-01-01\n\n### Added\n\n- All.\n`;
}

describe('a release', () => {
  it('gives what was unreleased its version and day, and leaves room for what comes', () => {
    const released = releaseChangelog(changelog('### Added\n\n- More.\n\n'), '0.2.0', date);
    expect(released).toBe(changelog(`## 0.2.0 - ${date}\n\n### Added\n\n- More.\n\n`));
  });

  it('can be the first', () => {
    const first = '# Changelog\n\n## Unreleased\n\n### Added\n\n- All.\n';
    expect(releaseChangelog(first, '0.1.0', date)).toBe(
      `# Changelog\n\n## Unreleased\n\n## 0.1.0 - ${date}\n\n### Added\n\n- All.\n`,
    );
  });

  it('needs a change', () => {
    expect(() => releaseChangelog(changelog('### Added\n\n'), '0.2.0', date)).toThrow(/nothing/);
    const other = '# Changelog\n\n## 0.1.0 - 2026-01-01\n\n- All.\n';
    expect(() => releaseChangelog(other, '0.2.0', date)).toThrow(/nothing/);
  });

  it('needs to know what kind of change it is', () => {
    const text = changelog('### Improved\n\n- More.\n\n');
    expect(() => releaseChangelog(text, '0.2.0', date)).toThrow('"### Improved"');
  });

  it.each([
    ['### Fixed\n\n- A.\n\n', '0.1.1'],
    ['### Fixed\n\n- A.\n\n### Added\n\n- B.\n\n', '0.2.0'],
    ['### Removed\n\n- A.\n\n', '0.2.0'],
    ['### Removed\n\n- A.\n\n', '2.0.0'],
    ['### Changed\n\n- **Breaking:** A.\n\n', '2.0.0'],
  ])('with %j may be %s', (changes, version) => {
    expect(releaseChangelog(changelog(changes), version, date)).toContain(`## ${version} - `);
  });

  it.each([
    ['### Fixed\n\n- A.\n\n### Added\n\n- B.\n\n', '0.1.1'],
    ['### Removed\n\n- A.\n\n', '0.1.1'],
    ['### Removed\n\n- A.\n\n', '1.1.0'],
    ['### Changed\n\n- **Breaking:** A.\n\n', '1.1.0'],
  ])('with %j may not be %s', (changes, version) => {
    expect(() => releaseChangelog(changelog(changes), version, date)).toThrow(`${version} is less`);
  });
});
