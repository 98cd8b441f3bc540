import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tuskd-services');

/** Path of a service program, found as the tests find it: its variable, what `npm run services` has built, PATH. */
export function findProgram(program: string): string | undefined {
  const given = process.env[`TUSKD_TEST_${program.toUpperCase().replaceAll('-', '_')}`];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const paths = given === undefined ? [...built(program), ...inAll(folders, program)] : [given];
  return paths.find((path) => existsSync(path));
}

/** Named for the version that is pinned. */
function built(program: string): string[] {
  if (!existsSync(cache)) return [];
  const names = readdirSync(cache).filter((name) => name.startsWith(`${program}-`));
  return inAll([cache], ...names);
}

function inAll(folders: readonly string[], ...names: readonly string[]): string[] {
  return folders.flatMap((folder) => names.map((name) => join(folder, name)));
}
