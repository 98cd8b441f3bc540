import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { RawClient } from '../protocol/raw-client.js';
import {
  basePath,
  chunkType,
  connect,
  create,
  exchange,
  lengthHeader,
  offsetOf,
  patch,
  requestHead,
} from '../protocol/tus.js';
import { type RunningCommand, useCommands } from './command-helper.js';

const start = useCommands();
const MiB = 1024 * 1024;
/** Of the one large upload; the promise was made for 25 GB. */
const largeBytes = Number(process.env['TUSKD_LARGE_BYTES'] ?? 512 * MiB);

const targetOf = ({ url }: RunningCommand) => ({ port: Number(new URL(url).port) });

/** The most memory that a command has had up to now, in bytes. */
async function peakOf({ process: { pid } }: RunningCommand): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Begins a PATCH that is to bring so many bytes. */
async function begin(client: RawClient, path: string, length: number): Promise<void> {
  const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': String(length) };
  await client.send(requestHead('PATCH', path, { headers }));
}

describe.skipIf(process.platform !== 'linux')('memory (which /proc tells)', () => {
  /** Seconds where the machine has nothing else to do. */
  const slow = { timeout: 90_000 };
  const large = { timeout: 60_000 + largeBytes / 50_000 };

  it('field 64: a large upload takes no more than its beginning', large, async () => {
    const command = await start();
    const target = targetOf(command);
    const path = await create(target, largeBytes);
    const client = await connect(target);
    await begin(client, path, largeBytes);
    const beginning = 128 * MiB;
    await client.sendZeros(beginning);
    const before = await peakOf(command);
    expect(await client.sendZeros(largeBytes - beginning)).toBe(largeBytes - beginning);
    expect((await client.response()).status).toBe(204);
    expect(await offsetOf(target, path)).toBe(largeBytes);
    // What garbage collection leaves to chance; kept bodies would be six times as much and more.
    expect((await peakOf(command)) - before).toBeLessThan(64 * MiB);
  });

  it(
    'field 65: ten thousand uploads that nobody finishes take no more than the first',
    slow,
    async () => {
      const command = await start();
      const makeUploads = async (count: number): Promise<void> => {
        const client = await connect(targetOf(command));
        for (let made = 0; made < count; made += 1) {
          const created = await exchange(client, 'POST', basePath, { headers: lengthHeader(5) });
          expect(created.status).toBe(201);
        }
      };
      const onEach = (count: number) => Promise.all(Array(10).fill(count).map(makeUploads));
      await onEach(300);
      const before = await peakOf(command);
      await onEach(700);
      expect((await peakOf(command)) - before).toBeLessThan(2 * MiB);
      expect(await readdir(command.directory)).toHaveLength(20_000);
    },
  );

  it('field 66: a thousand slow clients at once hold up nobody, and all arrive', slow, async () => {
    const command = await start();
    const target = targetOf(command);
    const before = await peakOf(command);
    const half = 'x'.repeat(1000);
    const clients: RawClient[] = [];
    for (let count = 0; count < 1000; count += 1) {
      const client = await connect(target);
      await begin(client, await create(target, 2000), 2000);
      await client.send(half);
      clients.push(client);
    }
    const atWork = async () =>
      (await readdir(command.directory)).filter((name) => name.endsWith('.lock')).length;
    await expect.poll(atWork).toBe(1000);

    expect((await patch(target, await create(target, 5), 0, 'hello')).status).toBe(204);
    expect((await peakOf(command)) - before).toBeLessThan(64 * MiB);

    await Promise.all(clients.map((client) => client.send(half)));
    const answers = await Promise.all(clients.map((client) => client.response()));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1000);
  });
});
