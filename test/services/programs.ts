import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export type ServiceProgram = keyof typeof programs;

/** What pins the version of a program that install.sh builds or fetches; the others are the system's. */
const programs = {
  chromium: undefined,
  haproxy: undefined,
  'redis-server': undefined,
  toxiproxy: 'go/toxiproxy/go.mod',
  tusd: 'go/tusd/go.mod',
  versitygw: 'go/versitygw/go.mod',
  weed: 'seaweedfs.txt',
} as const;

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tuskd-services');

/** Why a program cannot be started here; undefined where it can. */
export function whyNo(program: ServiceProgram): string | undefined {
  if (findProgram(program) !== undefined) return undefined;
  const given = process.env[variable(program)];
  if (given !== undefined) return `${variable(program)} is set to ${given}, where no file is`;
  const install = program === 'weed' ? 'npm run services -- all' : 'npm run services';
  return `${program} is missing: run \`${install}\``;
}

/** Path of a program: what TUSKD_TEST_<PROGRAM> says, or what install.sh has built, or what the shell would find. */
export function pathOf(program: ServiceProgram): string {
  const path = findProgram(program);
  if (path === undefined) throw new Error(whyNo(program));
  return path;
}

function findProgram(program: ServiceProgram): string | undefined {
  const given = process.env[variable(program)];
  if (given !== undefined) return existsSync(given) ? given : undefined;
  const built = cachedPath(program);
  // Some systems have their servers where only root looks.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const found = folders.map((folder) => join(folder, program));
  return [...(built === undefined ? [] : [built]), ...found].find((path) => existsSync(path));
}

/** Named for the file that pins its version, so that a new version is another file. */
function cachedPath(program: ServiceProgram): string | undefined {
  const pin = programs[program];
  if (pin === undefined) return undefined;
  // From the folder of the package: `npm run crash` compiles this file into another.
  const text = readFileSync(join('test/services', pin));
  return join(cache, `${program}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`);
}

function variable(program: ServiceProgram): string {
  return `TUSKD_TEST_${program.toUpperCase().replaceAll('-', '_')}`;
}
