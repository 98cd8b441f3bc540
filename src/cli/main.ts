#!/usr/bin/env node
import { helpText } from './flags-help.js';
import { limitYoungMemory } from './limit-young-memory.js';
import { FlagError, parseFlags, type ParsedFlags } from './parse-flags.js';
import { StartError } from './start-error.js';
import { versionText } from './version.js';

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  let flags: ParsedFlags;
  try {
    flags = parseFlags(args);
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
    await start(flags);
  }
}

async function start(flags: ParsedFlags): Promise<void> {
  limitYoungMemory();
  // Only here, so that -help and -version answer without loading a server.
  const { serve } = await import('./serve.js');
  try {
    await serve(flags);
  } catch (error) {
    // Anything else is a defect: Node ends with its stack.
    if (!(error instanceof StartError)) throw error;
    fail(error.message, 1);
  }
}

function fail(message: string, exitCode: number): void {
  process.stderr.write(`tuskd: ${message}\n`, () => process.exit(exitCode));
}
