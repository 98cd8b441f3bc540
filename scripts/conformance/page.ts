import { formatMarkdown } from '../format-markdown.js';
import type { NamedTest } from './find-tests.js';
import { decisions, needsTest, type Statement, statements } from './statements.js';

/** How a test ended on a runtime. */
export type Outcome = 'passed' | 'failed' | 'not run';

/** What is said of a run: of each test, and of the machine. */
export interface Run {
  readonly runtimesWhere: (test: NamedTest, outcome: Outcome) => readonly string[];
  readonly summary: string;
}

const heading = `# Conformance

What tus 1.0.0 demands, sentence by sentence, in words of our own: whom it binds, how strongly, and the tests that hold it.
The numbers are ours; a test bears those that it checks in its name, and \`npm test\` fails where a demand has none. All
tests are in \`test/protocol/\`, talk to a server over a socket, and run on each runtime. What a runtime cannot do, and why,
is in \`test/runtimes/differences.ts\`.

\`npm run conformance\` runs them and writes this page.
`;

/** The page about conformance; without a run, it says of no test how it ended. */
export function conformancePage(
  root: string,
  tests: ReadonlyMap<string, readonly NamedTest[]>,
  run?: Run,
): string {
  const lines = [heading, `Last run: ${run?.summary ?? ''}`];
  let section = '';
  for (const statement of statements) {
    if (statement.section !== section) lines.push(`## ${(section = statement.section)}`);
    lines.push(
      `**${statement.id}** (${statement.binds}, ${statement.level}) ${statement.sentence}`,
    );
    lines.push(testsOf(tests.get(statement.id), run) || withoutTest(statement));
  }
  lines.push('## Decisions', 'What the specification leaves open, and how it is decided here.');
  for (const [id, sentence] of Object.entries(decisions)) {
    lines.push(`**${id}** ${sentence}`, testsOf(tests.get(id), run) || '- _no test yet_');
  }
  return formatMarkdown(root, `${lines.join('\n\n')}\n`);
}

function withoutTest(statement: Statement): string {
  return needsTest(statement) ? '- _no test yet_' : '- _among clients: nothing to test_';
}

function testsOf(tests: readonly NamedTest[] = [], run?: Run): string {
  return tests.map((test) => `- ${nameOf(test)}${run ? ending(run, test) : ''}`).join('\n');
}

function nameOf({ file, title }: NamedTest): string {
  const words = title.slice(title.indexOf(': ') + 2).replaceAll('`', "'");
  return `\`${file.replace('test/protocol/', '')}\` ${words}`;
}

function ending(run: Run, test: NamedTest): string {
  const endings = (['passed', 'failed'] as const).flatMap((outcome) => {
    const runtimes = run.runtimesWhere(test, outcome);
    return runtimes.length > 0 ? `${outcome} on ${runtimes.join(', ')}` : [];
  });
  return ` — ${endings.join('; ') || 'not run'}`;
}

/** A page without what a run adds to it. */
export function withoutRun(page: string): string {
  return page.replaceAll(/^(- .*?) — .*$/gm, '$1').replace(/^Last run:.*$/m, 'Last run:');
}
