import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { environment, npm, run, useInstalledPackage } from './installed-package.js';

const installed = useInstalledPackage();

/** Runs a program that lies in the project, and resolves with what it prints. */
async function runProgram(name: string, source: string, ...nodeFlags: string[]): Promise<string> {
  const { project } = installed();
  await writeFile(join(project, name), source);
  const { output, errors } = await run(project, process.execPath, ...nodeFlags, name);
  expect(errors).toBe('');
  return output;
}

describe('a program that has installed the package', () => {
  it('imports every entry point', async () => {
    const { specifiers } = installed();
    const source = specifiers.map(
      (specifier) => `console.log(Object.keys(await import('${specifier}')).length > 0);\n`,
    );
    const output = await runProgram('imports.mjs', source.join(''));
    expect(output).toBe('true\n'.repeat(specifiers.length));
  });

  it('requires every entry point from CommonJS, without a warning', async () => {
    const { specifiers } = installed();
    const source = specifiers.map(
      (specifier) => `console.log(Object.keys(require('${specifier}')).length > 0);\n`,
    );
    const output = await runProgram('requires.cjs', source.join(''));
    expect(output).toBe('true\n'.repeat(specifiers.length));
  });

  it('cannot import what is not an entry point', async () => {
    const source = `import('tuskd/dist/index.js').catch(({ code }) => console.log(code));`;
    expect(await runProgram('deep.mjs', source)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  it('takes an upload', async () => {
    const output = await runProgram('upload.mjs', uploadProgram);
    expect(output).toBe('201 5\n');
  });

  it('runs the suites on a store and a locker', async () => {
    const output = await runProgram(
      'suites.test.mjs',
      suitesProgram,
      '--test',
      '--test-reporter=tap',
    );
    expect(output).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(100);
  });
});

describe('the command', () => {
  it('is run by npx', async () => {
    const { project, manifest } = installed();
    const { output } = await run(project, 'npx', '--offline', 'tuskd', '-version');
    expect(output).toBe(`Version: ${manifest.version}\nNode.js: ${process.version}\n`);
  });

  it('says what to install for locks in Redis', async () => {
    const { project } = installed();
    const flags = ['-locker=redis', '-redis-url=redis://127.0.0.1'];
    const failed = run(project, 'npx', '--offline', 'tuskd', ...flags);
    await expect(failed).rejects.toThrow(
      /^tuskd: -locker redis needs the package ioredis beside tuskd: npm install ioredis /m,
    );
  });

  it.each([
    ['-s3-bucket', '@aws-sdk/client-s3', ['-s3-bucket=a']],
    ['-s3-bucket', '@aws-sdk/client-s3', ['merge-tails', '-s3-bucket=a']],
  ])('says what to install for %s: %s', async (flag, name, args) => {
    const { project } = installed();
    const failed = run(project, 'npx', '--offline', 'tuskd', ...args);
    await expect(failed).rejects.toThrow(
      `tuskd: ${flag} needs the package ${name} beside tuskd: npm install ${name} (or, where tuskd is global, npm install --global ${name})\n`,
    );
  });

  it('is installed for the whole machine, and serves', async () => {
    const { project, tarball } = installed();
    const prefix = await mkdtemp(join(project, 'global-'));
    await mkdir(join(prefix, 'lib'));
    await npm(project, 'install', '--global', '--offline', '--prefix', prefix, tarball);
    const uploads = await mkdtemp(join(project, 'uploads-'));
    const command = spawn(
      join(prefix, 'bin/tuskd'),
      ['-host=127.0.0.1', '-port=0', `-upload-dir=${uploads}`],
      { stdio: ['ignore', 'pipe', 'inherit'], env: environment() },
    );
    onTestFinished(() => void command.kill('SIGKILL'));
    const url = await firstMatch(createInterface(command.stdout), /upload files to: (\S+)/);
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '5' },
    });
    expect(answer.status).toBe(201);
    command.kill('SIGTERM');
    expect(await once(command, 'exit')).toEqual([0, null]);
  });
});

async function firstMatch(lines: AsyncIterable<string>, pattern: RegExp): Promise<string> {
  for await (const line of lines) {
    const [, match] = pattern.exec(line) ?? [];
    if (match !== undefined) return match;
  }
  throw new Error(`No line matches ${pattern}`);
}

const uploadProgram = `
import { createServer } from 'node:http';
import { compose, createHandler, MemoryLocker, MemoryStore } from 'tuskd';

const store = new MemoryStore();
const handler = createHandler({ backend: compose({ core: store, locker: new MemoryLocker() }) });
const server = createServer(handler).listen(0, '127.0.0.1', async () => {
  const created = await fetch(\`http://127.0.0.1:\${server.address().port}/files/\`, {
    method: 'POST',
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': '5',
      'Content-Type': 'application/offset+octet-stream',
      Connection: 'close',
    },
    body: 'hello',
  });
  const upload = await store.getUpload(created.headers.get('Location').split('/').at(-1));
  console.log(created.status, (await upload.getInfo()).offset);
  server.close();
});
`;

const suitesProgram = `
import { describe, it } from 'node:test';
import { MemoryLocker, MemoryStore } from 'tuskd';
import { describeDataStore, describeLocker } from 'tuskd/testing';

const close = async () => {};
describeDataStore({ describe, it }, {
  name: 'MemoryStore',
  capabilities: new MemoryStore().capabilities,
  open: async () => ({ store: new MemoryStore(), close }),
});
describeLocker({ describe, it }, {
  name: 'MemoryLocker',
  capabilities: new MemoryLocker().capabilities,
  open: async () => ({ locker: new MemoryLocker(), close }),
});
`;
