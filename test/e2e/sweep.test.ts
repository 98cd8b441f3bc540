import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listDirectory } from '../protocol/list-directory.js';
import { temporaryDirectory } from '../protocol/server.js';
import { writeStored } from '../protocol/stored.js';
import { createUpload, runCommand, useCommands } from './command-helper.js';
import { HalfSent } from './half-sent.js';

const start = useCommands();
const longAgo = new Date('2020-01-01');

/** An expired and a finished upload. */
async function fill(directory: string): Promise<void> {
  await writeStored(directory, 'expired', 'he');
  await writeStored(directory, 'finished', 'hello');
  for (const id of ['expired', 'finished']) {
    await utimes(join(directory, id), longAgo, longAgo);
  }
}

function sweep(directory: string, ...flags: string[]): ReturnType<typeof runCommand> {
  return runCommand(['sweep', `-upload-dir=${directory}`, '-expire-after=1h', ...flags]);
}

describe('tuskd sweep', () => {
  it('tells what it would remove in a dry run, and removes it without', async () => {
    const directory = await temporaryDirectory();
    await fill(directory);
    const dry = await sweep(directory, '-dry-run');
    expect(dry).toMatchObject({ code: 0, errors: '' });
    expect(dry.output).toBe(
      'expired: has expired, with 2 bytes\n' +
        '1 expired (2 bytes), 0 left behind by crashes and 0 locks of the dead would be removed; ' +
        '0 in use, 0 failed, 2 seen.\n',
    );
    expect(await listDirectory(directory)).toHaveLength(4);
    const real = await sweep(directory);
    expect(real).toMatchObject({ code: 0, errors: '' });
    expect(real.output).toContain('expired: removed, with 2 bytes\n1 expired (2 bytes)');
    expect(await listDirectory(directory)).toEqual(['finished', 'finished.info']);
  });

  it('with -remove-parts, removes parts that were not put together in time, and only then', async () => {
    const directory = await temporaryDirectory();
    const record = { IsPartial: true, Tuskd: { expiresAt: 1 } };
    await writeStored(directory, 'part', 'hello', record);
    expect((await sweep(directory)).output).toMatch(/^0 expired/);
    expect((await sweep(directory, '-remove-parts')).output).toMatch(/^part: removed/);
    expect(await listDirectory(directory)).toEqual([]);
  });

  it('removes nothing where nothing expires', async () => {
    const directory = await temporaryDirectory();
    await fill(directory);
    const { code, output } = await runCommand(['sweep', `-upload-dir=${directory}`]);
    expect([code, output.startsWith('0 expired')]).toEqual([0, true]);
    expect(await listDirectory(directory)).toHaveLength(4);
  });

  it('leaves what a server beside it is using', async () => {
    const command = await start({ args: ['-expire-after=1h', '-expiry=absolute'] });
    const { directory } = command;
    const running = await HalfSent.begin(command, 10, 4);
    // As if it had been made long ago: its request began before it expired.
    const record = JSON.parse(await readFile(`${running.path}.info`, 'utf8'));
    record.Tuskd.createdAt = 0;
    await writeStored(directory, 'other', '', { Tuskd: { createdAt: 0 } });
    await writeFile(`${running.path}.info`, JSON.stringify(record));
    const { output } = await sweep(directory, '-expiry=absolute');
    expect(output).toContain('has expired, but is in use');
    expect(output).toContain('other: removed');
    running.finish();
    expect(await running.answer()).toContain(' 204 ');
    expect(await readFile(running.path, 'utf8')).toBe('x'.repeat(10));
  });

  it('is done by the server itself, by one of several workers', async () => {
    const directory = await temporaryDirectory();
    await fill(directory);
    const args = ['-expire-after=1h', '-sweep-interval=10ms', '-workers=2', '-log-format=json'];
    const command = await start({ directory, args });
    await command.waitForOutput(/"UploadExpired".*"expired"/);
    const uploads = async (): Promise<string[]> =>
      (await listDirectory(directory)).filter((name) => !name.startsWith('.tuskd/'));
    await expect.poll(uploads).toEqual(['finished', 'finished.info']);
    await createUpload(command.url, 5);
    expect(await command.stop()).toBe(0);
    expect(await uploads()).toHaveLength(4);
  });

  it('says in one line what it does not understand', async () => {
    const { code, errors } = await runCommand(['sweep', '-dri-run']);
    expect([code, errors]).toEqual([
      2,
      'tuskd: flag provided but not defined: -dri-run (see tuskd -help)\n',
    ]);
  });
});
