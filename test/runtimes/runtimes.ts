import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What the tests of the protocol run on: the adapter for `node:http`, and servers that speak in web Requests. */
export type Runtime = 'node' | FetchRuntime;
export type FetchRuntime = (typeof fetchRuntimes)[number];
export const fetchRuntimes = ['hono', 'bun', 'deno', 'next'] as const;
/** Those that are processes of their own: tests cannot reach into them. */
export type RemoteRuntime = (typeof remoteRuntimes)[number];
export const remoteRuntimes = ['bun', 'deno', 'next'] as const satisfies readonly FetchRuntime[];
/** Those that run in the process of the tests. */
export type LocalRuntime = Exclude<Runtime, RemoteRuntime>;

export const examples = resolve(import.meta.dirname, '../../examples');

/** What has to be there for a runtime, in the folder of the examples' packages. */
const needed = {
  hono: '@hono/node-server/package.json',
  bun: '.bin/bun',
  deno: '.bin/deno',
  next: '.bin/next',
} as const satisfies Record<FetchRuntime, string>;

/** Path of what a runtime is started by. */
export function pathOf(runtime: FetchRuntime): string {
  return join(examples, 'node_modules', needed[runtime]);
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
