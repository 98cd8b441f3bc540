import { type Flag, flagGroups, flagsOfGroup } from './flags.js';

/** What `tuskd -help` prints. */
export function helpText(): string {
  const groups = flagGroups.map((group) => {
    const entries = flagsOfGroup(group).map(([name, flag]) => helpEntry(name, flag));
    return `${group}:\n${entries.join('')}`;
  });
  return `Usage: tuskd [flags]
       tuskd sweep [-dry-run] [flags]                 removes expired uploads, and what crashes left behind
       tuskd merge-tails [-dry-run] [flags of S3]     before going back to tusd with a bucket

A server for resumable uploads (tus 1.0.0). Flags are written -name value, -name=value or --name=value;
durations are such as 500ms, 60s, 1m30s or 1.5h.

${groups.join('\n')}`;
}

function helpEntry(name: string, flag: Flag<unknown>): string {
  const { kind, help, default: standard } = flag;
  const head = kind.placeholder === undefined ? `-${name}` : `-${name} ${kind.placeholder}`;
  const notes = standard === '' || standard === 'false' ? '' : ` (default ${standard})`;
  return `  ${head}\n        ${help}${notes}\n`;
}

/** The page on flags in the docs. */
export function flagsDoc(): string {
  const groups = flagGroups.map((group) => `## ${group}\n\n${docTable(group)}`);
  return `# Flags of \`tuskd\`

<!-- Made by \`node dist/cli/flags-doc.js > docs/flags.md\` from src/cli/flags.ts. -->

The flags are tusd's, and are written as Go programs take them: \`-port 8080\`, \`-port=8080\` or \`--port=8080\`. A boolean
stands alone or has its value behind \`=\` (\`-verbose=false\`). Durations are such as \`500ms\`, \`60s\`, \`1m30s\` or \`1.5h\`.

A flag or value that is wrong is told in one line, and the exit code is 2; where the server cannot start, it is 1. SIGINT and
SIGTERM end the server with 0, also where \`-shutdown-timeout\` cuts connections; a second signal ends it at once with 1.

${groups.join('\n\n')}
`;
}

/** A table in the form that the formatter leaves alone. */
function docTable(group: Flag<unknown>['group']): string {
  const rows = [
    ['Flag', 'Value', 'Default', 'Meaning'],
    ...flagsOfGroup(group).map(([name, flag]) => docRow(name, flag)),
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const ruled = rows.toSpliced(
    1,
    0,
    widths.map((width) => '-'.repeat(width)),
  );
  return ruled
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

function docRow(name: string, flag: Flag<unknown>): string[] {
  const { kind, help, aliases = [] } = flag;
  const standard = flag.default === '' ? '' : `\`${flag.default}\``;
  const older = aliases.map((alias) => ` Also \`-${alias.name}\`.`).join('');
  // A bar inside a cell would end it.
  const value = (kind.placeholder ?? 'boolean').replaceAll('|', ' or ');
  return [`\`-${name}\``, value, standard, help + older];
}
