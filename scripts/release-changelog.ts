/** What may stand below a version (Keep a Changelog), and the least that it asks of the next version. */
const kinds: Readonly<Record<string, Level>> = {
  Added: 'minor',
  Changed: 'minor',
  Deprecated: 'minor',
  Removed: 'major',
  Fixed: 'patch',
  Security: 'patch',
};

type Level = 'patch' | 'minor' | 'major';
const levels: readonly Level[] = ['patch', 'minor', 'major'];

/**
 * The changelog with what was unreleased under `version`.
 * @throws Error with a sentence for whoever releases: nothing to release, a heading that says no kind of change, or a
 * version that promises users less change than there is
 */
export function releaseChangelog(changelog: string, version: string, date: string): string {
  const [introduction = '', unreleased = '', ...older] = changelog.split(/^(?=## )/m);
  const [, changes = ''] = unreleased.split(/^## Unreleased\n+/);
  if (!/^- /m.test(changes)) throw new Error('CHANGELOG.md has nothing under "## Unreleased"');
  const needed = neededLevel(changes);
  // Below 1.0.0, a minor version may take away.
  const least = needed === 'major' && version.startsWith('0.') ? 'minor' : needed;
  if (levels.indexOf(levelOf(version)) < levels.indexOf(least)) {
    throw new Error(`What is under "## Unreleased" needs a ${least} version; ${version} is less`);
  }
  return [
    introduction,
    '## Unreleased\n\n',
    `## ${version} - ${date}\n\n${changes}`,
    ...older,
  ].join('');
}

function neededLevel(changes: string): Level {
  const needed = [...changes.matchAll(/^### (.*)$/gm)].map(([, heading = '']) => {
    const level = kinds[heading];
    if (level === undefined) {
      throw new Error(
        `"### ${heading}" in CHANGELOG.md is none of ${Object.keys(kinds).join(', ')}`,
      );
    }
    return level;
  });
  if (/^- \*\*Breaking/m.test(changes)) needed.push('major');
  return levels.findLast((level) => needed.includes(level)) ?? 'patch';
}

/** Which part of the version was raised: all behind it are 0. */
function levelOf(version: string): Level {
  if (!version.endsWith('.0')) return 'patch';
  return version.endsWith('.0.0') ? 'major' : 'minor';
}
