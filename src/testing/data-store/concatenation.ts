import assert from 'node:assert/strict';
import type { Upload } from '../../core/data-store.js';
import type { UploadInfo } from '../../core/upload.js';
import { bodyOf } from '../memory-body.js';
import { append, assertStored, assertWritten, complete } from './assertions.js';
import { KiB, bytesAt, create } from './fixtures.js';
import type { Suite, Trial } from './suite.js';

export function defineConcatenation(suite: Suite): void {
  if (!suite.capabilities.concatenation) return;
  suite.theme('concatenation', () => {
    const cases: Record<string, readonly number[]> = {
      'of two parts': [10, 20],
      'of many parts in order': [5, 1, 300, 2, 70_000, 3, 64 * KiB, 9],
      'of one part': [1234],
      'of parts of which some are empty': [0, 10, 0, 0, 7, 0],
      'of nothing but an empty part': [0],
    };
    for (const [name, lengths] of Object.entries(cases)) {
      suite.test(`makes a whole ${name}`, async (trial) => {
        const { parts, size } = await makeParts(trial, lengths);
        const final = await makeFinal(trial, parts, size);
        await concat(final, parts);
        assert.equal((await final.getInfo()).offset, size);
        await final.finish?.();
        await assertStored(trial, final.id, size);
      });
    }

    suite.test('takes the order of the list, and a part as often as it is named', async (trial) => {
      // Two halves of the pattern's first bytes, made in the wrong order.
      const late = await makePart(trial, 100, 50);
      const early = await makePart(trial, 0, 100);
      const again = await makePart(trial, 0, 0);
      const parts = [again, early, again, late];
      const final = await makeFinal(trial, parts, 150);
      await concat(final, parts);
      await final.finish?.();
      await assertStored(trial, final.id, 150);

      const twice = await makeFinal(trial, [early, early], 200);
      await concat(twice, [early, early]);
      assert.equal((await twice.getInfo()).offset, 200);
    });

    suite.test('does nothing the second time', async (trial) => {
      const { parts, size } = await makeParts(trial, [10, 20, 30]);
      const final = await makeFinal(trial, parts, size);
      await concat(final, parts);
      await concat(await (await trial.reopen()).getUpload(final.id), parts);
      await final.finish?.();
      await assertStored(trial, final.id, size);
    });

    suite.test('leaves the parts as they are', async (trial) => {
      const { parts, size } = await makeParts(trial, [400, 600]);
      const final = await makeFinal(trial, parts, size);
      await concat(final, parts);
      const [first] = parts;
      assert.ok(first);
      await assertStored(trial, first.id, 400);
    });

    suite.test(
      'finds who waits for a part, noted by whoever and as often as they like',
      async (trial) => {
        const part = await create(trial, { id: 'folder/part', size: 5, isPartial: true });
        assert.deepEqual(await awaiting(part), []);
        await part.noteAwaitedBy?.('final');
        const other = await (await trial.reopen()).getUpload(part.id);
        await Promise.all(
          ['folder/final', 'final', 'another'].map(async (finalId) =>
            other.noteAwaitedBy?.(finalId),
          ),
        );
        assert.deepEqual(await awaiting(part), ['another', 'final', 'folder/final']);
        await append(part, 0, 5);
        const found = await (await trial.reopen()).getUpload(part.id);
        assert.deepEqual(await awaiting(found), ['another', 'final', 'folder/final']);
        const beside = await create(trial, { id: 'folder/part2', size: 5, isPartial: true });
        assert.deepEqual(await awaiting(beside), []);
      },
    );

    suite.test('forgets who waits for a part that goes', async (trial) => {
      if (!suite.capabilities.chosenIds || !suite.capabilities.termination) return;
      const part = await create(trial, { id: 'part', size: 5, isPartial: true });
      await part.noteAwaitedBy?.('final');
      await part.terminate?.();
      assert.deepEqual(await awaiting(await create(trial, { id: 'part', size: 5 })), []);
    });

    suite.test('stands when the parts have gone', async (trial) => {
      const { parts, size } = await makeParts(trial, [400, 600]);
      const final = await makeFinal(trial, parts, size);
      await concat(final, parts);
      await final.finish?.();
      for (const { id } of parts) await (await trial.store.getUpload(id)).terminate?.();
      await assertStored(trial, final.id, size);
    });
  });
}

/** Parts that make up the pattern when they are joined. */
async function makeParts(
  trial: Trial,
  lengths: readonly number[],
): Promise<{ parts: UploadInfo[]; size: number }> {
  const parts: UploadInfo[] = [];
  let size = 0;
  for (const length of lengths) {
    parts.push(await makePart(trial, size, length));
    size += length;
  }
  return { parts, size };
}

async function makePart(trial: Trial, start: number, length: number): Promise<UploadInfo> {
  const part = await create(trial, { size: length, isPartial: true });
  assertWritten(await part.writeChunk(0, bodyOf(bytesAt(start, length))), length);
  await complete(part);
  return (await trial.store.getUpload(part.id)).getInfo();
}

async function makeFinal(
  trial: Trial,
  parts: readonly UploadInfo[],
  size: number,
): Promise<Upload> {
  return create(trial, { size, isFinal: true, parts: parts.map((part) => part.id) });
}

async function awaiting(part: Upload): Promise<string[]> {
  return [...((await part.awaitedBy?.()) ?? [])].sort();
}

async function concat(final: Upload, parts: readonly UploadInfo[]): Promise<void> {
  if (!final.concat) assert.fail('concatenation is a capability, so there is concat()');
  await final.concat(parts);
}
