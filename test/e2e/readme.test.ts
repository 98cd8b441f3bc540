import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../services/free-port.js';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/** The README's code blocks of one language, with the port that a test can have. */
async function codeBlocks(language: string, port: number): Promise<string[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const blocks = readme.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'));
  return [...blocks].map(([, code = '']) => code.replaceAll('8080', String(port)));
}

/** A folder as a newcomer has it: a clone with its dependencies, to the eye of the module loader. */
async function clone(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tuskd-readme-'));
  for (const name of ['node_modules', 'package.json', 'dist']) {
    await symlink(join(root, name), join(folder, name));
  }
  return folder;
}

describe('README', () => {
  let folder: string;
  let port: number;
  let server: ChildProcess | undefined;

  beforeEach(async () => {
    folder = await clone();
    port = await freePort();
  });
  afterEach(async () => {
    if (server && server.exitCode === null) {
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
    await rm(folder, { recursive: true });
  });

  async function start(args: string[], line: RegExp): Promise<void> {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    server = child;
    for await (const text of createInterface(child.stdout)) if (line.test(text)) return;
    throw new Error('the server ended before it was up');
  }

  it('the upload with curl is stored in ./data', async () => {
    await start(['dist/cli/main.js', '-port', String(port)], /You can now upload files to/);
    const [, curl = '', list = ''] = await codeBlocks('sh', port);
    const { stdout: answer } = await run('sh', ['-ec', curl], { cwd: folder });
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
    expect(answer).toContain(`Location: http://localhost:${port}/files/`);
    const { stdout: listing } = await run('sh', ['-ec', list], { cwd: folder });
    expect(listing).toMatch(/^[\da-f]{32}\n[\da-f]{32}\.info\nhello world\n$/);
  });

  it('the upload with tus-js-client is stored', async () => {
    await start(['dist/cli/main.js', '-port', String(port)], /You can now upload files to/);
    const [script = ''] = await codeBlocks('js', port);
    await writeFile(join(folder, 'upload.mjs'), script);
    await writeFile(join(folder, 'hello.txt'), 'hello world\n');
    const { stdout } = await run(process.execPath, ['upload.mjs', 'hello.txt'], { cwd: folder });
    expect(stdout).toContain('12 of 12 bytes\nstored: 204\n');
    const { stdout: stored } = await run('sh', ['-c', 'cat $(ls data/* | grep -v info)'], {
      cwd: folder,
    });
    expect(stored).toBe('hello world\n');
  });

  it('the handler in one’s own program takes an upload', async () => {
    const [, script = ''] = await codeBlocks('js', port);
    await writeFile(
      join(folder, 'server.mjs'),
      `${script}\nserver.on('listening', () => console.log('up'));\n`,
    );
    await start(['server.mjs'], /^up$/);
    const answer = await fetch(`http://localhost:${port}/files/`, {
      method: 'POST',
      headers: {
        'Tus-Resumable': '1.0.0',
        'Upload-Length': '5',
        'Content-Type': 'application/offset+octet-stream',
      },
      body: 'hello',
    });
    expect(answer.status).toBe(201);
    const id = answer.headers.get('location')?.split('/').at(-1) ?? '';
    expect(await readFile(join(folder, 'uploads', id), 'utf8')).toBe('hello');
  });
});
