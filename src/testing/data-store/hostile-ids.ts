import assert from 'node:assert/strict';
import type { Upload } from '../../core/data-store.js';
import { isUploadId } from '../../core/upload-id.js';
import { append, assertCode, assertStored } from './assertions.js';
import { create, listed } from './fixtures.js';
import type { Suite, Trial } from './suite.js';

const ids: readonly string[] = [
  '...',
  '.hidden',
  '-rf',
  '~',
  '~root',
  '$HOME',
  "it's",
  '*',
  '!',
  '&',
  '(1)',
  '=1+1',
  'a,b;c',
  'user:password@host',
  'trailing.',
  'info',
  'lock.d/x',
  'x.infos',
  'a.part.b',
  '__proto__',
  'constructor/prototype',
  'x'.repeat(240),
  'x'.repeat(255),
  'x'.repeat(256),
  'x'.repeat(1024),
  `${'deep/'.repeat(200)}x`,
  `${'x'.repeat(250)}/${'y'.repeat(250)}`,
];

/** IDs that cannot both be names on every file system. */
const pairs: readonly (readonly [string, string])[] = [
  ['a', 'a/b'],
  ['a/b', 'a'],
  ['a/b/c', 'a/b'],
  ['Upload', 'upload'],
  ['Folder/x', 'folder/x'],
  ['dot', 'dot.'],
];

export function defineHostileIds(suite: Suite): void {
  suite.theme('hostile IDs', () => {
    suite.test('are valid ones', async () => {
      for (const id of [...ids, ...pairs.flat()]) assert.ok(isUploadId(id), id);
    });

    for (const id of ids) {
      const name = id.length > 60 ? `${id.slice(0, 60)}… (${id.length})` : id;
      suite.test(`are kept or refused, and leave nothing behind: ${name}`, async (trial) => {
        const upload = await createOrRefuse(trial, id);
        if (upload === undefined) return assert.deepEqual(await listed(trial.store), []);
        await append(upload, 0, 10);
        assert.deepEqual(await listed(await trial.reopen()), [`upload ${upload.id}`]);
        await assertStored(trial, upload.id, 10);
        await upload.terminate?.();
        if (upload.terminate) assert.deepEqual(await listed(trial.store), []);
      });
    }

    for (const [first, second] of pairs) {
      suite.test(`do no harm to each other: ${first} and ${second}`, async (trial) => {
        const made = [
          await createOrRefuse(trial, first),
          await createOrRefuse(trial, second),
        ].filter((upload) => upload !== undefined);
        assert.equal(new Set(made.map((upload) => upload.id)).size, made.length);
        for (const [index, upload] of made.entries()) await append(upload, 0, 5 + index);
        assert.deepEqual(
          await listed(await trial.reopen()),
          made.map((upload) => `upload ${upload.id}`).sort(),
        );
        for (const [index, upload] of made.entries()) {
          await assertStored(trial, upload.id, 5 + index);
        }
      });
    }
  });
}

async function createOrRefuse(trial: Trial, id: string): Promise<Upload | undefined> {
  try {
    return await create(trial, { id, size: 10 });
  } catch (error) {
    assertCode(error, 'ERR_INVALID_UPLOAD_ID', 'ERR_UPLOAD_EXISTS');
    return undefined;
  }
}
