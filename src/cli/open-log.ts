import { formatJson, formatText, type LogFormat, terminalFormat } from './log-format.js';
import { type LogOutput, standardOutput } from './log-output.js';
import { Log } from './log.js';
import type { ParsedFlags } from './parse-flags.js';

/** The log on standard output, in the form that the flags and the reader ask for. */
export function openLog(flags: ParsedFlags): { logger: Log; output: LogOutput } {
  const format = flags.get('log-format') === 'json' ? formatJson : chooseTextFormat();
  const output = standardOutput({
    shared: flags.get('workers') > 1,
    droppedNotice: (count) =>
      format({ time: new Date(), level: 'warn', event: 'LogLinesDropped', fields: { count } }),
  });
  const write = (line: string): void => output.write(line);
  return { output, logger: new Log({ format, write, verbose: flags.get('verbose') }) };
}

function chooseTextFormat(): LogFormat {
  // Where standard output is no terminal it has no hasColors(), whatever its type says.
  if (!process.stdout.isTTY) return formatText;
  return terminalFormat({ colors: process.stdout.hasColors() });
}
