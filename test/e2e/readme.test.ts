import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../services/free-port.js';
import { clone, codeBlocks } from './clone.js';

const run = promisify(execFile);

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
    const [, curl = '', list = ''] = await codeBlocks('README.md', 'sh', port);
    const { stdout: answer } = await run('sh', ['-ec', curl], { cwd: folder });
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
    expect(answer).toContain(`Location: http://localhost:${port}/files/`);
    const { stdout: listing } = await run('sh', ['-ec', list], { cwd: folder });
    expect(listing).toMatch(/^[\da-f]{32}\n[\da-f]{32}\.info\nhello world\n$/);
  });

  it('the upload with tus-js-client is stored', async () => {
    await start(['dist/cli/main.js', '-port', String(port)], /You can now upload files to/);
    const [script = ''] = await codeBlocks('README.md', 'js', port);
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
    const [, script = ''] = await codeBlocks('README.md', 'js', port);
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
