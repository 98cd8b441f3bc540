import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { answer, ask } from '../protocol/http2-client.js';
import { selfSigned } from '../protocol/self-signed.js';
import { connect, exchange, lengthHeader } from '../protocol/tus.js';
import { freePort } from '../services/free-port.js';
import { clone, codeBlocks } from './clone.js';

it('the server of docs/http2.md takes uploads over HTTP/2 and HTTP/1.1, and ends', async () => {
  const folder = await clone();
  const port = await freePort();
  selfSigned(folder);
  const [script = '', end = ''] = await codeBlocks('docs/http2.md', 'js', port);
  await writeFile(
    join(folder, 'server.mjs'),
    `${script}
    server.on('listening', () => console.log('up'));
    process.on('SIGTERM', async () => {
      ${end}
    });`,
  );
  const server = spawn(process.execPath, ['server.mjs'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  for await (const line of createInterface(server.stdout)) if (line === 'up') break;

  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  const made = await ask(session, 'POST', '/files/', {
    headers: { ...lengthHeader(5), 'Content-Type': 'application/offset+octet-stream' },
    body: 'hello',
  });
  expect(made.status).toBe(201);
  const id = made.headers.location?.split('/').at(-1) ?? '';
  expect(await readFile(join(folder, 'uploads', id), 'utf8')).toBe('hello');
  const client = await connect({ port }, true);
  expect((await exchange(client, 'HEAD', `/files/${id}`)).header('upload-offset')).toBe('5');
  await client.close();

  const stream = session.request({ ':method': 'PATCH', ':path': `/files/${id}` });
  const refused = answer(stream);
  await once(stream, 'response');
  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  expect((await refused).status).toBe(412);
  expect(await exited).toEqual([0, null]);
});
