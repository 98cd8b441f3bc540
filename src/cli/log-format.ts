import type { LogFields, LogLevel } from '../core/logger.js';
import { describeValue, quote, quoteIfNeeded } from './log-values.js';

/** One log event, about to become a line. */
export interface LogRecord {
  readonly time: Date;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

/** Makes one line, with its newline, out of a record. Never throws. */
export type LogFormat = (record: LogRecord) => string;

/** tusd's text: `2026/11/22 21:30:15.123000 level=INFO event=UploadCreated id=…`. */
export const formatText: LogFormat = ({ time, level, event, fields }) => {
  let line = `${localTime(time)} level=${level.toUpperCase()} event=${quoteIfNeeded(event)}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${quoteIfNeeded(key)}=${textValue(value)}`;
  }
  return `${line}\n`;
};

/** One JSON object: `time`, `level` and `msg`, then the fields. */
export const formatJson: LogFormat = ({ time, level, event, fields }) => {
  let line = `{"time":"${time.toISOString()}","level":"${level.toUpperCase()}","msg":${quote(event)}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) line += `,${quote(key)}:${jsonValue(value)}`;
  }
  return `${line}}\n`;
};

/** For people at a terminal: short, in columns, and what matters stands out. */
export function terminalFormat({ colors }: { colors: boolean }): LogFormat {
  const paint = (code: number, text: string): string =>
    colors ? `\u001b[${code}m${text}\u001b[0m` : text;
  return ({ time, level, event, fields }) => {
    const clock = paint(dim, localTime(time).slice(11, 23));
    const mark = paint(levelColors[level], level.toUpperCase().padEnd(5));
    const name = paint(level === 'debug' ? dim : bold, quoteIfNeeded(event).padEnd(18));
    let line = `${clock} ${mark} ${name}`;
    for (const [key, value] of Object.entries(fields)) {
      if (value === undefined || value === '') continue;
      line += ` ${paint(dim, `${quoteIfNeeded(key)}=`)}${textValue(value)}`;
    }
    return `${line.trimEnd()}\n`;
  };
}

const bold = 1;
const dim = 2;
const levelColors: Record<LogLevel, number> = { debug: dim, info: 36, warn: 33, error: 31 };

function textValue(value: unknown): string {
  const described = describeValue(value);
  return typeof described === 'string' ? quoteIfNeeded(described) : quoteIfNeeded(described.json);
}

function jsonValue(value: unknown): string {
  const described = describeValue(value);
  return typeof described === 'string' ? quote(described) : described.json;
}

/** In Go's form. It has microseconds, of which `Date` knows nothing. */
function localTime(time: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const date = `${time.getFullYear()}/${two(time.getMonth() + 1)}/${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}000`;
}
