import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchOptions } from './options.js';
import { findProtocolContenders } from './http2/protocol-contenders.js';
import type { Protocol } from './http2/protocols.js';
import { findS3Contenders } from './s3/s3-contenders.js';

/** Somebody who takes part. */
export interface Contender {
  readonly name: string;
  readonly version: string;
  /** A limit is no server that anybody could use: it shows what is possible at all. */
  readonly role: 'server' | 'limit';
  /** How it is started, with `{port}` and `{dir}`; a writer has no server. */
  readonly command: readonly string[] | undefined;
  /** Prints the version and ends. */
  readonly versionCommand?: readonly string[];
  /** Where uploads are created; `/files/` by default. */
  readonly createPath?: string;
  /** It keeps uploads in S3, with `{s3}` for the address in its command, and takes part there only. */
  readonly s3?: true;
  /** The only workload that it takes part in. */
  readonly only?: string;
  /** How files get to it, where it knows no uploads. */
  readonly filesBy?: 'put';
  /** What does the work itself, where there is no server; the writer by default. */
  readonly program?: string;
  /** It puts uploads together; others take no part where that is measured. */
  readonly concatenates?: true;
  /** It verifies checksums; others take no part where there are some. */
  readonly checksums?: true;
  /** What uploads are sent to it over; it takes part only where protocols are compared. */
  readonly protocol?: Protocol;
  /** Workloads that mean nothing for it. */
  readonly without?: readonly string[];
  /** How many uploads lie in its directory before. */
  readonly beside?: number;
}

/** The checkout. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));

/** All that can take part on this machine. @param skip told who cannot, and why */
export function findContenders(
  { fsync, servers }: Pick<BenchOptions, 'fsync' | 'servers'>,
  skip: (sentence: string) => void,
): readonly Contender[] {
  const own = [tuskd(fsync), tuskdWorkers(fsync)];
  const inS3 = findS3Contenders({ root, tuskd: tuskd(fsync), packageVersion }, skip);
  const { version } = tuskd(fsync);
  const found = [
    ...own,
    tusNodeServer(skip),
    rustus(skip),
    nginx(skip),
    ...servers.map(given),
    ...limits,
    ...inS3,
    ...findProtocolContenders({ root, version }, skip),
  ];
  return found.filter((contender) => contender !== undefined);
}

const node = process.execPath;

function tuskd(fsync: BenchOptions['fsync']): Contender {
  const main = join(root, 'dist/cli/main.js');
  return {
    name: 'tuskd',
    version: packageVersion(join(root, 'package.json')) ?? '',
    role: 'server',
    checksums: true,
    concatenates: true,
    // Its log of every request is on by default, as tusd's is; all others are measured without theirs.
    command: [
      node,
      main,
      '-host=127.0.0.1',
      '-port={port}',
      '-upload-dir={dir}',
      '-verbose=false',
      `-fsync=${fsync}`,
    ],
    versionCommand: [node, main, '-version'],
  };
}

/** Where more than one core can be of use. */
function tuskdWorkers(fsync: BenchOptions['fsync']): Contender {
  const { command = [], ...one } = tuskd(fsync);
  return {
    ...one,
    name: 'tuskd -workers 2',
    command: [...command, '-workers=2'],
    without: ['patch', 'chunks', 'stalled', 'get', 'start', 'checksum', 'growth', 'abandoned'],
  };
}

function tusNodeServer(skip: (sentence: string) => void): Contender | undefined {
  const modules = join(root, 'bench/node_modules/@tus');
  const version = packageVersion(join(modules, 'server/package.json'));
  if (version === undefined) {
    skip('@tus/server is not installed: npm ci --prefix bench');
    return undefined;
  }
  return {
    name: '@tus/server',
    version,
    role: 'server',
    command: [node, join(root, 'bench/servers/tus-node-server.mjs'), '{port}', '{dir}'],
  };
}

function rustus(skip: (sentence: string) => void): Contender | undefined {
  const { stdout, error } = spawnSync('rustus', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) {
    skip('rustus is not on the PATH: cargo install rustus');
    return undefined;
  }
  return {
    name: 'rustus',
    version: stdout.trim().split(' ').at(-1) ?? '',
    role: 'server',
    concatenates: true,
    // It keeps a whole body in memory, and refuses those above 256 KiB if it is not told otherwise.
    command: [
      'rustus',
      '--host',
      '127.0.0.1',
      '--port',
      '{port}',
      '--data-dir',
      '{dir}',
      '--info-dir',
      '{dir}',
      '--log-level',
      'OFF',
      '--max-body-size',
      String(2 ** 31),
      '--url',
      '/files',
    ],
    versionCommand: ['rustus', '--version'],
  };
}

/** Serves files as they lie there, with the kernel's sendfile(): what a download can cost. */
function nginx(skip: (sentence: string) => void): Contender | undefined {
  const { stderr, error } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  if (error !== undefined) {
    skip('nginx is not on the PATH: apt-get install nginx-light');
    return undefined;
  }
  return {
    name: 'nginx sendfile',
    version: /nginx\/(\S+)/.exec(stderr)?.[1] ?? '',
    role: 'limit',
    only: 'get',
    filesBy: 'put',
    command: [node, join(root, 'bench/servers/nginx.mjs'), '{port}', '{dir}'],
  };
}

/** A server of `--server 'name=command'`. */
function given({ name, command }: BenchOptions['servers'][number]): Contender {
  return { name, version: '', role: 'server', command };
}

const limits: readonly Contender[] = [
  {
    name: 'node-writev',
    version: process.versions.node,
    role: 'limit',
    command: [node, join(here, 'limits/writev-server.js'), '{port}', '{dir}'],
  },
  {
    name: 'node-discard',
    version: process.versions.node,
    role: 'limit',
    command: [node, join(here, 'limits/discard-server.js'), '{port}'],
  },
  {
    name: 'write-only',
    version: process.versions.node,
    role: 'limit',
    command: undefined,
    without: ['head', 'stalled', 'get', 'start', 'growth', 'abandoned'],
  },
  {
    name: 'cat',
    version: '',
    role: 'limit',
    command: undefined,
    only: 'concat',
    concatenates: true,
    program: './limits/cat-files.js',
  },
];

function packageVersion(path: string): string | undefined {
  try {
    return /"version": "([^"]+)"/.exec(readFileSync(path, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
