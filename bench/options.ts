import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly help: boolean;
  readonly quick: boolean;
  readonly runs: number;
  /** Names of workloads; undefined for all. */
  readonly only: readonly string[] | undefined;
  /** Names of contenders beside tuskd and the further servers; undefined for all. */
  readonly against: readonly string[] | undefined;
  /** Further servers, with `{port}` and `{dir}` in their commands. */
  readonly servers: readonly { readonly name: string; readonly command: readonly string[] }[];
  /** Where the servers keep what they receive. */
  readonly dir: string;
  /** tuskd's `-fsync`. */
  readonly fsync: 'off' | 'finish' | 'request';
  /** Files for the results, as data and as a picture. */
  readonly json: string | undefined;
  readonly svg: string | undefined;
}

export const usage = `npm run bench -- [flags]
  --quick             rough figures within two minutes, S3 only where it is named
  --runs 5            of which the median is told
  --only NAME,...     patch, parallel, chunks, create, head, stalled, get, concat, start; http2 and s3 for all that begins with http2- and
                      s3-; and, only where they are named, checksum (what verifying costs), growth (requests beside a million
                      uploads) and abandoned (what a hundred thousand leave)
  --against NAME,...  tuskd -workers 2, @tus/server, rustus, node-writev, node-discard, write-only; all that are here by default
  --server 'NAME=COMMAND with {port} and {dir}'
                      measures one more tus server, which creates uploads at /files/; can be repeated
  --dir /dev/shm      where uploads are kept for the time; a folder of a real disk measures that disk
  --fsync off         tuskd's -fsync: off, finish or request; the others keep their own way
  --json FILE         every run, as data
  --svg FILE          a picture`;

/** Reads the command line. @throws Error with a sentence for the user */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      only: { type: 'string' },
      against: { type: 'string' },
      server: { type: 'string', multiple: true, default: [] },
      dir: { type: 'string', default: '/dev/shm' },
      fsync: { type: 'string', default: 'off' },
      json: { type: 'string' },
      svg: { type: 'string' },
    },
  });
  return {
    help: values.help,
    quick: values.quick,
    runs: parseRuns(values.runs ?? (values.quick ? '1' : '5')),
    only: values.only?.split(','),
    against: values.against?.split(','),
    servers: values.server.map(parseServer),
    dir: values.dir,
    fsync: parseFsync(values.fsync),
    json: values.json,
    svg: values.svg,
  };
}

function parseRuns(text: string): number {
  const runs = Number(text);
  if (Number.isSafeInteger(runs) && runs > 0) return runs;
  throw new Error(`Not a number of runs: ${text}`);
}

function parseServer(text: string): BenchOptions['servers'][number] {
  const [, name, command] = /^([^=]+)=(.*\{port\}.*)$/.exec(text) ?? [];
  if (name !== undefined && command !== undefined) return { name, command: command.split(' ') };
  throw new Error(`Not a name and a command with {port}: ${text}`);
}

function parseFsync(text: string): BenchOptions['fsync'] {
  if (text === 'off' || text === 'finish' || text === 'request') return text;
  throw new Error(`Not off, finish or request: ${text}`);
}
