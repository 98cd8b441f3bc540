import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, useInstalledPackage } from './installed-package.js';

const installed = useInstalledPackage();
const packages = resolve(import.meta.dirname, '../../node_modules');

describe('a program in TypeScript', () => {
  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    for (const exactOptionalPropertyTypes of [true, false]) {
      const options = { module, moduleResolution, exactOptionalPropertyTypes };
      it(`has the types of every entry point: ${JSON.stringify(options)}`, async () => {
        await typeCheck('program.ts', useOfEverything(), options);
      });
    }
  }

  it('has them in CommonJS, too', async () => {
    await typeCheck('program.cts', useOfEverything(), { module: 'nodenext' });
  });

  it('is told that it needs @types/node, and of nothing else', async () => {
    const options = { module: 'node16', types: [] };
    const failure = await typeCheck('program.ts', `export * from 'tuskd';`, options).then(
      () => '',
      String,
    );
    const complaints = failure.split('\n').filter((line) => line.includes('error TS'));
    expect(complaints).not.toEqual([]);
    const aboutNode = /Cannot find name '(?:node:\w+|AbortSignal)'/;
    expect(complaints.filter((line) => !aboutNode.test(line))).toEqual([]);
  });
});

/** Type-checks a program in a folder of its own, as strictly as can be: no declaration of ours goes unread. */
async function typeCheck(file: string, source: string, options: object): Promise<void> {
  const folder = await mkdtemp(join(installed().project, 'program-'));
  await writeFile(join(folder, file), source);
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022'],
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    ...options,
  };
  const config = { compilerOptions, files: [file] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true });
  await symlink(join(packages, '@types/node'), join(folder, 'node_modules/@types/node'));
  await run(folder, process.execPath, join(packages, 'typescript/bin/tsc'), '-p', '.');
}

/** Imports every entry point, and uses the library as its page does. */
function useOfEverything(): string {
  const imports = installed().specifiers.map(
    (specifier, index) => `import * as entry${index} from '${specifier}';\nvoid entry${index};\n`,
  );
  return `${imports.join('')}
import { createServer } from 'node:http';
import { compose, createHandler, type DataStore, FileLocker, FileStore, functionHooks, TusError } from 'tuskd';

const directory = './uploads';
const store: DataStore = new FileStore({ directory, fsync: 'finish' });
const backend = compose({ core: store, locker: new FileLocker({ directory }), reading: false });
const hooks = functionHooks({
  async access(verb, ids, request) {
    if (request.headers['authorization'] === undefined) throw new TusError('ERR_ACCESS_DENIED');
  },
  preCreate: ({ upload }) => ({ changes: { id: upload.metadata['filename'] ?? 'unnamed' } }),
});
const handler = createHandler({ backend, hooks, basePath: '/files/' });
handler.attach(createServer(handler).listen(8080));
// @ts-expect-error: no such option.
createHandler({ backend, basPath: '/files/' });
`;
}
