import type { LogFields, Logger, LogLevel } from '../core/logger.js';
import type { LogFormat } from './log-format.js';
import { describeStack } from './log-values.js';

export interface LogOptions {
  readonly format: LogFormat;
  /** Takes a line without blocking. */
  readonly write: (line: string) => void;
  /** Debug events too, and the stacks of errors (tusd's `-verbose`). */
  readonly verbose: boolean;
}

/** The log of the command. */
export class Log implements Logger {
  readonly #options: LogOptions;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  enabled(level: LogLevel): boolean {
    return level !== 'debug' || this.#options.verbose;
  }

  log(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (!this.enabled(level)) return;
    const { format, write, verbose } = this.#options;
    const shown = level === 'error' && verbose ? { ...fields, stack: stackOf(fields) } : fields;
    write(format({ time: new Date(), level, event, fields: shown }));
  }
}

function stackOf(fields: LogFields): string | undefined {
  const error = Object.values(fields).find((value) => value instanceof Error);
  return error && describeStack(error);
}
