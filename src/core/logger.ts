/** How much an event matters, least first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Values beside an event. undefined is left out; an Error is for the log alone, with its causes. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where log events go. MUST NOT throw or block. */
export interface Logger {
  /** Whether events of this level go anywhere: lets the caller skip building them. */
  enabled(level: LogLevel): boolean;
  /** `event` is a name such as `UploadCreated`, not a sentence. */
  log(level: LogLevel, event: string, fields?: LogFields): void;
}

/** Discards everything: the default of the library. */
export const silentLogger: Logger = { enabled: () => false, log: () => undefined };
