import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from '../servers.js';
import { findProgram } from './find-program.js';
import { bucket } from './object-server.js';

/** Where the contenders come from. */
export interface Origin {
  /** The checkout. */
  readonly root: string;
  readonly tuskd: Contender;
  /** Of a package.json; undefined where there is none. */
  readonly packageVersion: (path: string) => string | undefined;
}

const node = process.execPath;
const inPieces = ['s3-chunks', 's3-64k', 's3-1m', 's3-64m', 's3-distance'];

/** All that can keep uploads in S3 on this machine. @param skip told who cannot, and why */
export function findS3Contenders(
  { root, tuskd, packageVersion }: Origin,
  skip: (sentence: string) => void,
): readonly Contender[] {
  if (findProgram('versitygw') === undefined) {
    skip('S3 is left out, versitygw is missing: npm run services');
    return [];
  }
  const servers = join(root, 'bench/servers');
  const modules = join(root, 'bench/node_modules');
  const version = (name: string): string | undefined =>
    packageVersion(join(modules, name, 'package.json'));
  const [server, store, library] = ['@tus/server', '@tus/s3-store', '@aws-sdk/lib-storage'].map(
    version,
  );
  if (server === undefined || store === undefined || library === undefined) {
    skip('@tus/s3-store and @aws-sdk/lib-storage are not installed: npm ci --prefix bench');
    return [tuskdInS3(tuskd, skip), ...tusd(skip)];
  }
  const tusNode = (name: string, ...settings: readonly string[]): Contender => ({
    name,
    version: `${server} with @tus/s3-store ${store}`,
    role: 'server',
    s3: true,
    command: [node, join(servers, 'tus-node-s3.mjs'), '{port}', '{s3}', bucket, ...settings],
  });
  const helper = (partMiB: string): Contender => ({
    name: `lib-storage ${partMiB} MiB`,
    version: library,
    role: 'server',
    s3: true,
    command: [node, join(servers, 'sdk-upload.mjs'), '{port}', '{s3}', bucket, partMiB],
    // It knows no offsets: an upload is one request.
    without: ['s3-takeover', ...inPieces],
  });
  return [
    tuskdInS3(tuskd, skip),
    { ...tusNode('@tus/server'), without: ['s3-takeover'] },
    { ...tusNode('@tus/server 4 parts', '4'), without: ['s3-takeover', ...inPieces] },
    helper('8'),
    helper('5'),
    ...tusd(skip),
  ];
}

function tuskdInS3(tuskd: Contender, skip: (sentence: string) => void): Contender {
  const hasRedis = findProgram('redis-server') !== undefined;
  if (!hasRedis)
    skip('The takeover is left out, redis-server is missing: apt-get install redis-server');
  const main = tuskd.command?.slice(0, 2) ?? [];
  const address = ['-host=127.0.0.1', '-port={port}', '-verbose=false'];
  const store = [`-s3-bucket=${bucket}`, '-s3-endpoint={s3}', '-s3-provider=versitygw'];
  const command = [...main, ...address, ...store];
  return { ...tuskd, s3: true, command, ...(!hasRedis && { without: ['s3-takeover'] }) };
}

function tusd(skip: (sentence: string) => void): readonly Contender[] {
  const path = findProgram('tusd');
  if (path === undefined) {
    skip('tusd is missing: npm run services');
    return [];
  }
  const address = ['-host=127.0.0.1', '-port={port}', '-verbose=false'];
  return [
    {
      name: 'tusd',
      version: tusdVersion(path),
      role: 'server',
      s3: true,
      without: ['s3-takeover'],
      command: [path, ...address, `-s3-bucket=${bucket}`, '-s3-endpoint={s3}'],
    },
  ];
}

/** What Go notes in a program of the modules that it is made of: its own `-version` only knows what released ones say. */
function tusdVersion(path: string): string {
  const program = readFileSync(path);
  const at = program.indexOf('github.com/tus/tusd/v2\tv');
  return /\tv(\S+)/.exec(program.toString('latin1', at, at + 60))?.[1] ?? '';
}
