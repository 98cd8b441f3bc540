#!/usr/bin/env node
import { helpText } from './flags-help.js';
import { limitYoungMemory } from './limit-young-memory.js';
import { FlagError, parseFlags, type ParsedFlags } from './parse-flags.js';
import { StartError } from './start-error.js';
import { versionText } from './version.js';

/** Commands beside the server. They take its flags, and -dry-run. */
const commands = {
  'merge-tails': async () => (await import('./s3/merge-tails-command.js')).runMergeTails,
  sweep: async () => (await import('./sweep-command.js')).runSweep,
} as const;

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  const [first = '', ...rest] = args;
  const command = isCommand(first) ? first : undefined;
  const isDryRun = (arg: string): boolean => command !== undefined && /^--?dry-run$/.test(arg);
  let flags: ParsedFlags;
  try {
    flags = parseFlags(command === undefined ? args : rest.filter((arg) => !isDryRun(arg)));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    fail(`${error.message} (see tuskd -help)`, 2);
    return;
  }
  if (flags.get('help')) {
    process.stdout.write(helpText());
  } else if (flags.get('version')) {
    process.stdout.write(versionText());
  } else {
    // What they need is loaded only here, so that -help and -version answer at once.
    await failOnStartError(() =>
      command === undefined ? start(flags) : run(command, flags, rest.some(isDryRun)),
    );
  }
}

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name);
}

async function run(
  command: keyof typeof commands,
  flags: ParsedFlags,
  dryRun: boolean,
): Promise<void> {
  const runCommand = await commands[command]();
  process.exitCode = await runCommand(flags, dryRun);
}

async function start(flags: ParsedFlags): Promise<void> {
  limitYoungMemory();
  const { serve } = await import('./serve.js');
  await serve(flags);
}

async function failOnStartError(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    // Anything else is a defect: Node ends with its stack.
    if (!(error instanceof StartError)) throw error;
    fail(error.message, 1);
  }
}

function fail(message: string, exitCode: number): void {
  process.stderr.write(`tuskd: ${message}\n`, () => process.exit(exitCode));
}
