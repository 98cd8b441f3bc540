import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, onTestFinished } from 'vitest';
import { Disk } from '../../dist/internal/disk.js';

describe('exists()', () => {
  it('finds nothing where nothing is, or can be: on a disk that is called at once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tuskd-disk-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'file'), '');
    await assertExists(new Disk(directory), directory, 'file');
  });

  it.runIf(process.platform === 'linux')('and on one that is called through the thread pool', () =>
    // None of the types of file systems that are known to be local.
    assertExists(new Disk('/proc'), '/proc', 'version'),
  );
});

async function assertExists(disk: Disk, directory: string, file: string): Promise<void> {
  assert.equal(await disk.exists(join(directory, file)), true);
  assert.equal(await disk.exists(join(directory, 'no-such-file')), false);
  assert.equal(await disk.exists(join(directory, file, 'below')), false);
  assert.equal(await disk.exists(join(directory, 'x'.repeat(256))), false);
}
