import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What the tests of the protocol run on: the adapter for `node:http` and `node:http2`, and servers that speak in web Requests. */
export type Runtime = 'node' | 'http2' | FetchRuntime;
export type FetchRuntime = (typeof fetchRuntimes)[number];
export const fetchRuntimes = ['hono', 'bun', 'deno', 'next'] as const;
/** Those that are processes of their own: tests cannot reach into them. */
export type RemoteRuntime = (typeof remoteRuntimes)[number];
export const remoteRuntimes = ['bun', 'deno', 'next'] as const satisfies readonly FetchRuntime[];
/** Those that run in the process of the tests. */
export type LocalRuntime = Exclude<Runtime, RemoteRuntime>;

export const examples = resolve(import.meta.dirname, '../../examples');

const packages = join(examples, 'node_modules');

/** What a runtime is started by: the programs themselves, or a wrapper would be killed in their place. */
const programs = {
  hono: () => '@hono/node-server/package.json',
  // Its install script, where it may run, takes the program out of the package of the platform.
  bun: () => platformProgram('@oven', 'bin/bun') ?? 'bun/bin/bun.exe',
  deno: () => platformProgram('@deno', 'deno') ?? 'deno/deno',
  next: () => '.bin/next',
} as const satisfies Record<FetchRuntime, () => string>;

/** A program that comes in one package for each platform, of which npm installs those that fit. */
function platformProgram(scope: string, program: string): string | undefined {
  const folder = join(packages, scope);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const found = names.find((name) => existsSync(join(folder, name, program)));
  return found === undefined ? undefined : join(scope, found, program);
}

/** Path of what a runtime is started by. */
export function pathOf(runtime: FetchRuntime): string {
  return join(packages, programs[runtime]());
}

/** Why a runtime cannot be tested here; undefined where it can. */
export function whyMissing(runtime: FetchRuntime): string | undefined {
  return existsSync(pathOf(runtime))
    ? undefined
    : `the examples' packages are not installed: npm ci --prefix examples`;
}

export function isRemote(runtime: Runtime): runtime is RemoteRuntime {
  return remoteRuntimes.some((name) => name === runtime);
}
