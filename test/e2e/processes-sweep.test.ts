import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { basePath, create, download, head, patch, request } from '../protocol/tus.js';
import { runCommand } from './command-helper.js';
import { HalfSent } from './half-sent.js';
import { ownBed, type ProcessBed } from './process-bed.js';

/** On a machine that has much else to do. */
const slow = { timeout: 60_000 };
const args = ['-expire-after=1h'];

/** As if nobody had written to it for long. */
async function growOld({ directory }: ProcessBed, path: string): Promise<void> {
  const longAgo = new Date('2020-01-01');
  await utimes(join(directory, path.slice(basePath.length)), longAgo, longAgo);
}

describe.each([2, 4])('%d processes on one directory, where uploads expire', slow, (count) => {
  it('field 54: all answer 410 for what has expired, and 404 once any has swept it', async () => {
    const bed = await ownBed(count, [...args, '-sweep-interval=0']);
    const path = await create(bed.first, 10);
    await patch(bed.last, path, 0, 'hello');
    await growOld(bed, path);
    const statuses = async (): Promise<number[]> => {
      const answers = await bed.onAll(async (process) => [
        await head(process, path),
        await patch(process, path, 5, 'world'),
        await request(process, 'GET', path),
        await request(process, 'DELETE', path),
      ]);
      return answers.flat().map(({ status }) => status);
    };
    expect(await statuses()).toEqual(Array(4 * count).fill(410));
    const { output } = await runCommand(['sweep', `-upload-dir=${bed.directory}`, ...args]);
    expect(output).toContain('1 expired (5 bytes)');
    expect(await statuses()).toEqual(Array(4 * count).fill(404));
    expect(await bed.filesOf(path)).toEqual([]);
  });

  it('field 27: each expired upload is removed once, however many sweep, and nothing else is', async () => {
    const bed = await ownBed(count, [...args, '-sweep-interval=0']);
    const expired: string[] = [];
    for (let made = 0; made < 50; made += 1) {
      const path = await create(bed.last, 5);
      await growOld(bed, path);
      expired.push(path);
    }
    const finished = await create(bed.last, 5);
    await patch(bed.last, finished, 0, 'hello');
    await growOld(bed, finished);
    const running = await HalfSent.begin(bed.last.command, 10, 5);
    await growOld(bed, new URL(running.location).pathname);

    const sweeps = await bed.onAll(() =>
      runCommand(['sweep', `-upload-dir=${bed.directory}`, ...args]),
    );
    for (const { code, errors } of sweeps) expect([code, errors]).toEqual([0, '']);
    const removed = sweeps.flatMap(({ output }) =>
      Array.from(output.matchAll(/^(\w+): removed, with/gm), ([, id]) => `${basePath}${id}`),
    );
    expect(removed.sort()).toEqual(expired.sort());
    // The one that is running, and what another sweep has in hand.
    for (const { output } of sweeps) expect(output).toMatch(/[1-9]\d* in use, 0 failed/);
    running.finish();
    expect(await running.answer()).toMatch(/^HTTP\/1\.1 204 /);
    expect(
      await bed.onAll(async (process) => (await download(process, finished)).toString()),
    ).toEqual(Array(count).fill('hello'));
    expect(await bed.filesOf(finished, running.location)).toHaveLength(4);
    expect(await bed.filesOf(...expired)).toEqual([]);
  });

  it('field 27: all sweep by themselves, side by side', async () => {
    const bed = await ownBed(count, [...args, '-sweep-interval=10ms']);
    const finished = await create(bed.last, 5);
    await patch(bed.last, finished, 0, 'hello');
    await growOld(bed, finished);
    const expired: string[] = [];
    for (let made = 0; made < 20; made += 1) expired.push(await create(bed.last, 5));
    await Promise.all(expired.map((path) => growOld(bed, path)));
    await expect.poll(() => bed.filesOf(...expired)).toEqual([]);
    expect(await bed.filesOf(finished)).toHaveLength(2);
    const answers = await bed.onAll(async (process) =>
      (await download(process, finished)).toString(),
    );
    expect(answers).toEqual(Array(count).fill('hello'));
    for (const { command } of bed.processes) {
      expect(await command.stop()).toBe(0);
      expect(command.output() + command.errors()).not.toContain('SweepError');
    }
  });
});
