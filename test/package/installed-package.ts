import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const execute = promisify(execFile);

/** The package as users have it: packed, and installed into a project that has nothing else. */
export interface InstalledPackage {
  /** A project of type `module`; programs of tests go here. */
  readonly project: string;
  /** The package inside it. */
  readonly folder: string;
  readonly tarball: string;
  /** Bytes of the tarball. */
  readonly size: number;
  /** Paths in the tarball. */
  readonly files: readonly string[];
  readonly manifest: Manifest;
  /** What can be imported, `tuskd` first: every line of `exports` that has types. */
  readonly specifiers: readonly string[];
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, unknown>>;
}

export interface Finished {
  readonly output: string;
  readonly errors: string;
}

/** Installs the package before the tests of a file, and removes it after them. */
export function useInstalledPackage(): () => InstalledPackage {
  let place: string | undefined;
  let installed: InstalledPackage | undefined;
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'tuskd-package-'));
    installed = await install(place);
  }, 60_000);
  afterAll(async () => {
    if (place !== undefined) await rm(place, { recursive: true, force: true });
  });
  return () => {
    if (installed === undefined) throw new Error('The package is not installed');
    return installed;
  };
}

async function install(place: string): Promise<InstalledPackage> {
  const project = join(place, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  // Without scripts: the build would empty dist/ while other tests use it.
  const packing = await npm(place, 'pack', '--ignore-scripts', '--json', root);
  const [packed]: [Packed] = JSON.parse(packing.output);
  const tarball = join(place, packed.filename);
  await npm(project, 'install', '--offline', tarball);
  const folder = join(project, 'node_modules', packed.name);
  const manifest: Manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  return {
    project,
    folder,
    tarball,
    manifest,
    size: packed.size,
    files: packed.files.map(({ path }) => path),
    specifiers: Object.entries(manifest.exports)
      .filter(([, target]) => typeof target === 'object')
      .map(([path]) => manifest.name + path.slice(1)),
  };
}

interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** Runs npm as its users do: nothing of the npm that may have started the tests reaches it. */
export function npm(cwd: string, ...args: string[]): Promise<Finished> {
  return run(cwd, 'npm', ...args);
}

/** Runs a program to its end. @throws where it does not end with 0; its output is in the message */
export async function run(cwd: string, program: string, ...args: string[]): Promise<Finished> {
  try {
    const { stdout, stderr } = await execute(program, args, { cwd, env: environment() });
    return { output: stdout, errors: stderr };
  } catch (error) {
    const { stdout, stderr } = Object.assign({ stdout: '', stderr: '' }, error);
    throw new Error(`${[program, ...args].join(' ')} failed:\n${stdout}${stderr}`, {
      cause: error,
    });
  }
}

export function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('npm_') && name !== 'NODE_OPTIONS',
    ),
  );
}
