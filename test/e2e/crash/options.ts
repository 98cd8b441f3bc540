import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

export const usage = `npm run crash -- [flags]
  --runs 20         runs of one to three crashes, each in an upload directory or bucket of its own
  --seed N          of the first run; the next has the next. Random by default
  --backend disk    where uploads are kept: disk or s3 (versitygw, which \`npm run services\` installs)
  --fsync off       what the server is given; also finish, request
  --locker auto     what the server is given; also file, memory
  --dir DIR         where uploads are kept for the time; the system's temporary folder by default`;

export interface CrashOptions {
  readonly runs: number;
  readonly seed: number | undefined;
  readonly backend: 'disk' | 's3';
  readonly fsync: string;
  readonly locker: string;
  readonly directory: string;
}

/** Reads the command line. @throws Error with a sentence for the user */
export function parseOptions(args: readonly string[]): CrashOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '20' },
      seed: { type: 'string' },
      backend: { type: 'string', default: 'disk' },
      fsync: { type: 'string', default: 'off' },
      locker: { type: 'string', default: 'auto' },
      dir: { type: 'string', default: tmpdir() },
    },
  });
  const { backend, fsync, locker, dir: directory } = values;
  if (backend !== 'disk' && backend !== 's3') throw new Error(`No such backend: ${backend}`);
  return {
    runs: parseCount(values.runs),
    seed: values.seed === undefined ? undefined : parseCount(values.seed),
    backend,
    fsync,
    locker,
    directory,
  };
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new Error(`Not a number: ${text}`);
}
