import { describe, expect, it } from 'vitest';
import { formatJson, formatText, terminalFormat } from '../../dist/cli/log-format.js';
import { LogOutput, type Send } from '../../dist/cli/log-output.js';
import { Log, type LogOptions } from '../../dist/cli/log.js';
import { TusError } from '../../dist/core/errors.js';
import type { LogFields } from '../../dist/core/logger.js';

const time = new Date(2026, 10, 22, 21, 30, 15, 123);

function text(fields: LogFields): string {
  return formatText({ time, level: 'info', event: 'UploadCreated', fields });
}

function json(fields: LogFields): unknown {
  return JSON.parse(formatJson({ time, level: 'info', event: 'UploadCreated', fields }));
}

/** What an attacker would put into a header or a path, and what must not reach the log as it is. */
const hostile = [
  'a\nevent=Forged',
  'a\r\nb',
  '\u001b[2J',
  '\u009b2J',
  'a\u2028b',
  'a\u202eb',
  'a\u0000b',
  'a\u007fb',
  '\ud800',
  '"',
  'a" event="Forged',
  'a b=c',
];

describe('log lines as text', () => {
  it('look like those of tusd', () => {
    expect(
      text({ method: 'POST', path: '/files/', requestId: '', size: 12, gone: undefined }),
    ).toBe(
      '2026/11/22 21:30:15.123000 level=INFO event=UploadCreated method=POST path=/files/ requestId="" size=12\n',
    );
  });

  it('quote values that would be ambiguous', () => {
    expect(text({ a: 'b c', d: 'e=f', g: { h: 1 }, i: null, j: true, k: 10n })).toContain(
      String.raw` a="b c" d="e=f" g="{\"h\":1}" i=null j=true k=10`,
    );
  });

  it.each(hostile)('keep %j in its place', (value) => {
    const line = text({ path: value, [value]: 1, nested: { value } });
    expect(line.slice(0, -1)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(line.endsWith('\n')).toBe(true);
    const [, quoted = ''] = / path=("(?:[^"\\]|\\.)*")/.exec(line) ?? [];
    expect(JSON.parse(quoted)).toBe(value);
  });

  it('are of bounded length, whatever a client sends', () => {
    expect(
      text({ path: 'a'.repeat(1e6), list: Array.from({ length: 1e5 }, () => 1) }).length,
    ).toBeLessThan(5000);
  });

  it('survive values that cannot be written', () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const throwing = {
      toJSON(): never {
        throw new Error('no');
      },
    };
    expect(
      text({ circular, throwing, symbol: Symbol('s'), call: () => 1, nothing: Number.NaN }),
    ).toContain('circular=[unprintable] throwing=[unprintable] symbol=Symbol(s)');
  });
});

describe('log lines as JSON', () => {
  it('have time, level and the event, then the fields', () => {
    expect(json({ id: 'abc', size: 12, upload: { a: [1] }, none: null, gone: undefined })).toEqual({
      time: time.toISOString(),
      level: 'INFO',
      msg: 'UploadCreated',
      id: 'abc',
      size: 12,
      upload: { a: [1] },
      none: null,
    });
  });

  it.each(hostile)('keep %j in its place', (value) => {
    const line = formatJson({ time, level: 'warn', event: value, fields: { path: value } });
    expect(line.slice(0, -1)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(line)).toMatchObject({ msg: value, path: value });
  });
});

describe('log lines for a terminal', () => {
  it('are short and in columns', () => {
    const format = terminalFormat({ colors: false });
    const fields = { id: 'abc', requestId: '' };
    expect(format({ time, level: 'info', event: 'UploadCreated', fields })).toBe(
      '21:30:15.123 INFO  UploadCreated      id=abc\n',
    );
    expect(format({ time, level: 'error', event: 'InternalServerError', fields: {} })).toBe(
      '21:30:15.123 ERROR InternalServerError\n',
    );
  });

  it('have colours where the terminal has', () => {
    const format = terminalFormat({ colors: true });
    expect(format({ time, level: 'warn', event: 'X', fields: {} })).toContain(
      '\u001b[33mWARN \u001b[0m',
    );
  });

  it.each(hostile)('keep %j in its place', (value) => {
    const format = terminalFormat({ colors: false });
    const line = format({ time, level: 'info', event: 'X', fields: { path: value } });
    expect(line.slice(0, -1)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });
});

describe('errors in the log', () => {
  const cause = Object.assign(new Error("EACCES: permission denied, open '/data/x'"), {
    code: 'EACCES',
  });
  const error = new TusError('ERR_INTERNAL_SERVER_ERROR', {
    cause: new TypeError('cannot write', { cause }),
  });

  function logged(options: Partial<LogOptions>, level: 'error' | 'info'): string {
    let lines = '';
    const write = (line: string): void => void (lines += line);
    new Log({ format: formatText, write, verbose: true, ...options }).log(level, 'Failed', {
      error,
    });
    return lines;
  }

  it('show their code, their message and their causes', () => {
    expect(logged({ verbose: false }, 'error')).toMatch(
      / error="ERR_INTERNAL_SERVER_ERROR: internal server error <- TypeError: cannot write <- Error: EACCES: permission denied, open '\/data\/x'"\n$/,
    );
  });

  it('show the stacks of all of them where that is wanted, on the same line', () => {
    const line = logged({}, 'error');
    expect(line).toMatch(/ stack="TusError: .*caused by TypeError: .*caused by Error: EACCES/);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(logged({}, 'info')).not.toContain('stack=');
    expect(logged({ format: formatJson }, 'error')).toContain('"stack":"TusError: ');
  });

  it('may be their own cause', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(text({ error: loop })).toContain('Error: loop <- Error: loop');
  });

  it('may have anything for a cause', () => {
    expect(text({ error: new Error('a', { cause: 'b' }) })).toContain('error="Error: a <- b"');
  });
});

describe('the levels', () => {
  it('leave out debug unless verbose', () => {
    const lines: string[] = [];
    const options = { format: formatText, write: (line: string) => void lines.push(line) };
    const quiet = new Log({ ...options, verbose: false });
    quiet.log('debug', 'A');
    quiet.log('info', 'B');
    new Log({ ...options, verbose: true }).log('debug', 'C');
    expect(lines.map((line) => /event=(\w)/.exec(line)?.[1])).toEqual(['B', 'C']);
    expect(quiet.enabled('debug')).toBe(false);
  });
});

describe('the output of the log', () => {
  /** A reader that takes a text only when told to. */
  class Reader {
    readonly texts: string[] = [];
    take: (error?: Error) => void = () => undefined;
    readonly send: Send = (text, done) => {
      this.texts.push(text);
      this.take = done;
    };
  }

  /** Lines leave at the end of a turn of the event loop. */
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  function output(reader: Reader): LogOutput {
    return new LogOutput({ send: reader.send, droppedNotice: (count) => `dropped ${count}\n` });
  }

  it('sends what has gathered in one piece', async () => {
    const reader = new Reader();
    const log = output(reader);
    log.write('a\n');
    log.write('b\n');
    expect(reader.texts).toEqual([]);
    await turn();
    log.write('c\n');
    log.write('d\n');
    await turn();
    expect(reader.texts).toEqual(['a\nb\n']);
    reader.take();
    reader.take();
    log.write('e\n');
    await turn();
    expect(reader.texts).toEqual(['a\nb\n', 'c\nd\n', 'e\n']);
  });

  it('drops lines once a mebibyte waits, and says so when the reader is back', async () => {
    const reader = new Reader();
    const log = output(reader);
    const line = `${'x'.repeat(1023)}\n`;
    for (let count = 0; count < 2000; count += 1) log.write(line);
    await turn();
    reader.take();
    expect(reader.texts.map((text) => text.length)).toEqual([1024 * 1024, 'dropped 976\n'.length]);
    expect(reader.texts[1]).toBe('dropped 976\n');
    reader.take();
    log.write('after\n');
    await turn();
    expect(reader.texts[2]).toBe('after\n');
  });

  it('goes on after an error', async () => {
    const reader = new Reader();
    const log = output(reader);
    log.write('a\n');
    await turn();
    reader.take(new Error('ENOSPC'));
    log.write('b\n');
    await turn();
    expect(reader.texts).toEqual(['a\n', 'b\n']);
  });

  it('is flushed when everything is out', async () => {
    const reader = new Reader();
    const log = output(reader);
    await log.flush(60_000);
    log.write('a\n');
    let flushed = false;
    const flushing = log.flush(60_000).then(() => (flushed = true));
    await turn();
    log.write('b\n');
    reader.take();
    await turn();
    expect(flushed).toBe(false);
    reader.take();
    await flushing;
  });

  it('does not wait for a reader that takes nothing', async () => {
    const log = output(new Reader());
    log.write('a\n');
    await log.flush(5);
  });
});
