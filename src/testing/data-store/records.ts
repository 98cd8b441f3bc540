import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { UploadChanges, UploadDraft, UploadInfo } from '../../core/upload.js';
import { append, assertRejects, assertStored, infoOf } from './assertions.js';
import { create, metadataOf } from './fixtures.js';
import type { Suite, Trial } from './suite.js';

/** Everything that a record may carry, so that nothing of it is lost on the way. */
const additions = {
  protocol: 'rufh',
  createdAt: 1_700_000_000_123,
  rawMetadata: 'filename d29ybGQ=,empty , odd\u00e9 AAAA',
  rawConcat: 'final;/files/a  /files/b',
  expiresAt: 1_900_000_000_456,
  expiresAfterMs: 86_400_000,
  owner: 'somebody "quoted" \u{1f600}',
  limits: { maxSize: 9_007_199_254_740_991, minAppendSize: 0 },
  complete: false,
  finish: 'pending',
} as const satisfies Partial<UploadDraft>;

/** Every change there is, save `size` and `fence`, which have cases of their own. */
const changes = {
  complete: true,
  finish: 'done',
  expiresAt: 2_000_000_000_789,
  expiresAfterMs: 1,
  finalResponse: { status: 201, headers: { 'X-A': '1', 'x-b': '' }, body: '{"\u00fc":"\\n"}' },
} as const satisfies UploadChanges;

export function defineRecords(suite: Suite): void {
  suite.theme('persistence', () => {
    const metadata = {
      'every character': 'tab\t newline\n nul\0 quote" backslash\\ \u2028 \u00fc \u{1f600} \ufffd',
      'an empty value': { zeta: '', alpha: '', filename: 'a.txt' },
      'a key that JavaScript knows': JSON.parse(
        '{"__proto__":"p","constructor":"c","toString":""}',
      ),
      'a long value': { long: 'x'.repeat(64 * 1024) },
      'an order of its own': { z: '1', a: '2', m: '3', Z: '4', 'a-b': '5' },
      nothing: {},
    };
    for (const [name, value] of Object.entries(metadata)) {
      suite.test(`keeps metadata with ${name}`, async (trial) => {
        const expected = metadataOf(typeof value === 'string' ? { value } : value);
        const upload = await create(trial, { metadata: expected });
        for (const info of [await upload.getInfo(), await infoOf(trial, upload.id)]) {
          assert.equal(Object.getPrototypeOf(info.metadata), null, 'metadata has no prototype');
          // As a list: entries in another order would pass for the same.
          assert.deepEqual(Object.entries(info.metadata), Object.entries(expected));
        }
      });
    }

    for (const [key, value] of Object.entries(additions)) {
      suite.test(`keeps ${key}`, async (trial) => {
        const upload = await create(trial, { [key]: value });
        const info = await infoOf(trial, upload.id);
        assert.deepEqual(Object.entries(info).find(([name]) => name === key)?.[1], value);
      });
    }

    suite.test('keeps what makes a part, and what makes a final upload', async (trial) => {
      const part = await create(trial, { isPartial: true });
      const final = await create(trial, { isFinal: true, parts: [part.id, 'x/y', part.id] });
      const partInfo = await infoOf(trial, part.id);
      const finalInfo = await infoOf(trial, final.id);
      assert.deepEqual([partInfo.isPartial, partInfo.isFinal, partInfo.parts], [true, false, []]);
      assert.deepEqual([finalInfo.isPartial, finalInfo.isFinal], [false, true]);
      assert.deepEqual(finalInfo.parts, [part.id, 'x/y', part.id]);
    });

    suite.test('invents nothing', async (trial) => {
      const { id } = await create(trial);
      const info = await infoOf(trial, id);
      for (const key of [...Object.keys(additions), 'fence', 'finalResponse']) {
        assert.equal(Object.entries(info).find(([name]) => name === key)?.[1], undefined, key);
      }
    });

    for (const size of [2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
      suite.test(`keeps a size of ${size}, or refuses it`, async (trial) => {
        const [made] = await Promise.allSettled([create(trial, { size })]);
        if (made.status === 'fulfilled') {
          assert.equal((await infoOf(trial, made.value.id)).size, size);
        } else {
          await assertRejects(Promise.reject(made.reason), 'ERR_MAX_SIZE_EXCEEDED');
        }
      });
    }

    suite.test('tells the same to every instance, with bytes and without', async (trial) => {
      const upload = await create(trial, { ...additions, size: 9 });
      await assertSameInfo(trial, upload.id);
      await append(upload, 0, 5);
      await assertSameInfo(trial, upload.id);
      await assertStored(trial, upload.id, 5);
    });

    suite.test('says where it put an upload in strings', async (trial) => {
      const { storage } = await infoOf(trial, (await create(trial)).id);
      for (const value of Object.values(storage)) assert.equal(typeof value, 'string');
    });

    suite.test('moves the time of the last write forwards only', async (trial) => {
      const upload = await create(trial, { size: 9 });
      const { modifiedAt } = await infoOf(trial, upload.id);
      await append(upload, 0, 5);
      const later = await infoOf(trial, upload.id);
      assert.ok(later.modifiedAt >= modifiedAt, `${later.modifiedAt} after ${modifiedAt}`);
    });
  });

  suite.theme('changes of the record', () => defineChanges(suite));
}

function defineChanges(suite: Suite): void {
  suite.test('are seen by other instances, and change nothing else', async (trial) => {
    const upload = await create(trial, { ...additions, size: 20, metadata: metadataOf({ a: '' }) });
    await append(upload, 0, 17);
    const before = await infoOf(trial, upload.id);
    const told = await upload.update(changes);
    const after = await infoOf(trial, upload.id);
    assert.deepEqual(comparable(told), comparable({ ...before, ...changes }));
    assert.deepEqual(comparable(after), comparable({ ...before, ...changes }));
    await assertStored(trial, upload.id, 17);
  });

  for (const [key, value] of Object.entries(changes)) {
    suite.test(`take ${key} alone`, async (trial) => {
      const { id } = await create(trial, { owner: 'me' });
      const before = await infoOf(trial, id);
      await (await trial.store.getUpload(id)).update({ [key]: value });
      assert.deepEqual(
        comparable(await infoOf(trial, id)),
        comparable({ ...before, [key]: value }),
      );
    });
  }

  if (suite.capabilities.declaredLength) {
    suite.test('take a size, once there is one', async (trial) => {
      const upload = await create(trial, { size: undefined });
      await append(upload, 0, 30);
      assert.equal((await upload.update({ size: 50 })).size, 50);
      assert.equal((await infoOf(trial, upload.id)).size, 50);
      await append(await trial.store.getUpload(upload.id), 30, 20);
      await assertStored(trial, upload.id, 50);
    });

    suite.test('take a size that is zero, or what is there already', async (trial) => {
      for (const size of [0, 12]) {
        const upload = await create(trial, { size: undefined });
        await append(upload, 0, size);
        await upload.update({ size });
        assert.equal((await infoOf(trial, upload.id)).size, size);
        await assertStored(trial, upload.id, size);
      }
    });
  }

  suite.test('may be none', async (trial) => {
    const upload = await create(trial, { ...additions, size: 8 });
    await append(upload, 0, 3);
    const before = await infoOf(trial, upload.id);
    await upload.update({});
    assert.deepEqual(comparable(await infoOf(trial, upload.id)), comparable(before));
  });

  suite.test('replace answers whole', async (trial) => {
    const upload = await create(trial);
    await upload.update({ finalResponse: changes.finalResponse });
    const finalResponse = { status: 204, headers: {}, body: 'x'.repeat(16 * 1024) };
    await upload.update({ finalResponse });
    const info = await infoOf(trial, upload.id);
    assert.deepEqual(info.finalResponse, finalResponse);
  });

  suite.test('are never seen by halves', async (trial) => {
    const upload = await create(trial, { size: 9, expiresAt: 0 });
    await upload.update({ expiresAfterMs: 0 });
    const reader = await trial.reopen();
    const done = new AbortController();
    const read = async (): Promise<void> => {
      while (!done.signal.aborted) {
        const info = await (await reader.getUpload(upload.id)).getInfo();
        assert.equal(info.expiresAfterMs, info.expiresAt);
        assert.equal(info.size, 9);
        await setImmediate();
      }
    };
    const change = async (): Promise<void> => {
      for (let count = 1; count <= 50; count++) {
        await upload.update({ expiresAfterMs: count, expiresAt: count });
      }
    };
    await Promise.all([read(), change().finally(() => done.abort())]);
  });
}

async function assertSameInfo(trial: Trial, id: string): Promise<void> {
  const own = await (await trial.store.getUpload(id)).getInfo();
  assert.deepEqual(await infoOf(trial, id), own);
}

/** The time of the last write is nobody's promise to the millisecond, and only metadata has a prototype to speak of. */
function comparable({
  modifiedAt: _,
  storage,
  ...info
}: UploadInfo): Omit<UploadInfo, 'modifiedAt'> {
  return { ...info, storage: { ...storage } };
}
