import assert from 'node:assert/strict';
import type { Upload, WriteOptions } from '../../core/data-store.js';
import { MemoryBody, bodyOf } from '../memory-body.js';
import { append, assertCode, assertRejects, assertStored, infoOf } from './assertions.js';
import { bytesAt, create } from './fixtures.js';
import type { Suite, Trial } from './suite.js';

const lower: WriteOptions = { fence: 6 };

export function defineFences(suite: Suite): void {
  suite.theme('fences', () => {
    suite.test('may rise and stay, and do not come with every lock', async (trial) => {
      const upload = await create(trial, { size: 40 });
      await append(upload, 0, 10, { fence: 7 });
      await append(upload, 10, 10, { fence: 7 });
      await append(upload, 20, 10, { fence: 8 });
      await append(await trial.store.getUpload(upload.id), 30, 10);
      await assertStored(trial, upload.id, 40);
    });

    if (suite.capabilities.fences) defineRefusals(suite);
  });
}

function defineRefusals(suite: Suite): void {
  suite.test('that are lower change no record', async (trial) => {
    const upload = await fenced(trial);
    await assertRejects(upload.update({ expiresAt: 2 }, lower), 'ERR_LOCK_LOST');
    assert.equal((await infoOf(trial, upload.id)).expiresAt, 1);
  });

  suite.test('that are lower store nothing', async (trial) => {
    const upload = await fenced(trial);
    const writing = upload.writeChunk(5, bodyOf(bytesAt(5, 5)), lower);
    const result = await writing.catch((error: unknown) => ({ bytesWritten: 0, error }));
    assertCode(result.error, 'ERR_LOCK_LOST');
    assert.equal(result.bytesWritten, 0);
    await assertStored(trial, upload.id, 5);
  });

  suite.test('that rise in the middle of a write end it', async (trial) => {
    const upload = await fenced(trial);
    const body = new MemoryBody(lateBytes(() => nextHolder(trial, upload.id)));
    const writing = upload.writeChunk(5, body, { fence: 7 });
    const result = await writing.catch((error: unknown) => ({ bytesWritten: 0, error }));
    assertCode(result.error, 'ERR_LOCK_LOST');
    await assertStored(trial, upload.id, 5 + result.bytesWritten);
  });

  if (suite.capabilities.termination) {
    suite.test('that are lower remove nothing', async (trial) => {
      const upload = await fenced(trial);
      if (upload.terminate === undefined) return;
      await assertRejects(upload.terminate(lower), 'ERR_LOCK_LOST');
      await assertStored(trial, upload.id, 5);
    });
  }
}

/** An upload with 5 of 20 bytes that fence 7 has written to, as another instance finds it. */
async function fenced(trial: Trial): Promise<Upload> {
  const { id } = await create(trial, { size: 20, expiresAt: 1 });
  const upload = await trial.store.getUpload(id);
  await append(upload, 0, 5, { fence: 7 });
  await upload.update({ expiresAt: 1 }, { fence: 7 });
  assert.equal((await infoOf(trial, id)).fence, 7);
  return (await trial.reopen()).getUpload(id);
}

async function nextHolder(trial: Trial, id: string): Promise<void> {
  await (await (await trial.reopen()).getUpload(id)).update({}, { fence: 8 });
}

async function* lateBytes(lose: () => Promise<void>): AsyncGenerator<Uint8Array[]> {
  await lose();
  yield [bytesAt(5, 15)];
}
