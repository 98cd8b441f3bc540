import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RunningCommand, useCommands } from './command-helper.js';

const start = useCommands();
const tus = { 'Tus-Resumable': '1.0.0' };
const chunk = { ...tus, 'Content-Type': 'application/offset+octet-stream' };
const MiB = 1024 * 1024;

/** POST to the creation URL; gives back the new upload's URL. */
async function post(
  { url }: RunningCommand,
  headers: Readonly<Record<string, string>>,
  body?: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const options = { method: 'POST', headers: { ...tus, ...headers } };
  const response = await fetch(url, body === undefined ? options : { ...options, body });
  expect(await response.text()).toBe('');
  expect(response.status).toBe(201);
  return response.headers.get('location') ?? '';
}

function createPart(
  command: RunningCommand,
  size: number,
  body?: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const headers = { 'Upload-Concat': 'partial', 'Upload-Length': String(size) };
  return body === undefined
    ? post(command, headers)
    : post(command, { ...headers, ...chunk }, body);
}

function createFinal(command: RunningCommand, ...parts: readonly string[]): Promise<string> {
  // The path: another command has another port.
  const paths = parts.map((part) => new URL(part).pathname);
  return post(command, { 'Upload-Concat': `final;${paths.join(' ')}` });
}

/** PATCH through `command`, whichever made the upload. */
async function append(
  command: RunningCommand,
  upload: string,
  body: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const headers = { ...chunk, 'Upload-Offset': '0' };
  const response = await fetch(at(command, upload), { method: 'PATCH', headers, body });
  expect([response.status, await response.text()]).toEqual([204, '']);
}

function at({ url }: RunningCommand, upload: string): URL {
  return new URL(new URL(upload).pathname, url);
}

async function offsetOf(command: RunningCommand, upload: string): Promise<string | null> {
  const response = await fetch(at(command, upload), { method: 'HEAD', headers: tus });
  expect(response.status).toBe(200);
  return response.headers.get('upload-offset');
}

function dataPath({ directory }: RunningCommand, upload: string): string {
  return join(directory, new URL(upload).pathname.slice('/files/'.length));
}

async function sha256(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

describe('concatenation with the command', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'field 13: cut off in the middle by %s, the next server goes on with it',
    async (signal) => {
      const command = await start();
      const { directory } = command;
      // 256 MiB to copy, of 16 that are sent.
      const piece = new Uint8Array(16 * MiB);
      for (let i = 0; i < piece.length; i += 4096) piece[i] = (i / 4096) % 251;
      const times = 16;
      const big = await createPart(command, piece.length, piece);
      const last = await createPart(command, 3);
      const final = await createFinal(command, ...Array<string>(times).fill(big), last);
      const copied = async (): Promise<number> => (await stat(dataPath(command, final))).size;
      await append(command, last, 'end');
      await expect.poll(copied).toBeGreaterThan(0);
      expect(await command.stop(signal)).toBe(signal === 'SIGKILL' ? null : 0);
      const size = times * piece.length + 3;
      expect(await copied()).toBeLessThan(size);

      const next = await start({ args: [], directory });
      // Nobody asks for it meanwhile.
      await expect.poll(copied, { timeout: 15_000 }).toBe(size);
      await expect.poll(() => offsetOf(next, final)).toBe(String(size));
      const expected = [...Array.from({ length: times }, () => piece), Buffer.from('end')];
      const stored: AsyncIterable<Uint8Array> = createReadStream(dataPath(command, final));
      expect(await sha256(stored)).toBe(await sha256(expected));
    },
  );

  it('the last part ends on another server of the same directory', async () => {
    const one = await start();
    const two = await start({ directory: one.directory });
    const [a, b] = [await createPart(one, 5, Buffer.from('hello')), await createPart(two, 6)];
    const final = await createFinal(one, a, b);
    expect(await offsetOf(two, final)).toBeNull();
    await append(two, b, ' world');
    // Nobody asks for it meanwhile.
    await expect.poll(() => readFile(dataPath(one, final), 'utf8')).toBe('hello world');
    await expect.poll(() => offsetOf(one, final)).toBe('11');
    expect(await offsetOf(two, final)).toBe('11');
  });

  it('the last part ends after a restart', async () => {
    const command = await start();
    const { directory } = command;
    const [a, b] = [await createPart(command, 1), await createPart(command, 1)];
    const final = await createFinal(command, a, b);
    await append(command, a, 'a');
    await command.stop('SIGKILL');
    const next = await start({ directory });
    await append(next, b, 'b');
    await expect.poll(() => readFile(dataPath(next, final), 'utf8')).toBe('ab');
    await expect.poll(() => offsetOf(next, final)).toBe('2');
  });

  it('works with several workers, whichever gets a request', async () => {
    const command = await start({ args: ['-workers=2'] });
    for (let round = 0; round < 10; round += 1) {
      const [a, b] = [await createPart(command, 1), await createPart(command, 1)];
      const [final] = await Promise.all([
        createFinal(command, a, b),
        append(command, a, 'a'),
        append(command, b, 'b'),
      ]);
      await expect.poll(() => readFile(dataPath(command, final), 'utf8')).toBe('ab');
      await expect.poll(() => offsetOf(command, final)).toBe('2');
    }
  });

  it('-disable-concatenation switches it off, -remove-parts removes the parts', async () => {
    const off = await start({ args: ['-disable-concatenation'] });
    const options = await fetch(off.url, { method: 'OPTIONS' });
    expect(options.headers.get('tus-extension')).not.toContain('concatenation');
    const removing = await start({ args: ['-remove-parts'] });
    const part = await createPart(removing, 5, Buffer.from('hello'));
    const final = await createFinal(removing, part, part);
    expect(await readFile(dataPath(removing, final), 'utf8')).toBe('hellohello');
    const gone = await fetch(part, { method: 'HEAD', headers: tus });
    expect(gone.status).toBe(404);
  });
});
