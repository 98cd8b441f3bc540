import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Upload } from '../../core/data-store.js';
import { isTusError } from '../../core/errors.js';
import { MemoryBody, bodyOf } from '../memory-body.js';
import {
  append,
  assertBytes,
  assertStored,
  assertWritten,
  complete,
  settled,
} from './assertions.js';
import { KiB, MiB, arraysAt, create, seededRandom } from './fixtures.js';
import type { Suite, Trial } from './suite.js';

const size = 200 * KiB;

export function defineReading(suite: Suite): void {
  if (!suite.capabilities.reading) return;
  suite.theme('reading', () => {
    const ranges = {
      'the whole': [0, size],
      'the first byte': [0, 1],
      'the last byte': [size - 1, size],
      'a range in the middle': [12_345, 156_789],
      'nothing at the start': [0, 0],
      'nothing at the end': [size, size],
      'nothing in the middle': [777, 777],
    } as const;
    for (const [name, [start, end]] of Object.entries(ranges)) {
      suite.test(`gives ${name}`, async (trial) => {
        const upload = await finished(trial);
        await assertBytes(trial.store, upload, { start, end });
      });
    }

    suite.test('gives ranges at random, many at once', async (trial) => {
      const upload = await finished(trial);
      const random = seededRandom(7);
      const position = (): number => Math.floor(random() * (size + 1));
      const reads = Array.from({ length: 40 }, async () => {
        const [start = 0, end = 0] = [position(), position()].sort((a, b) => a - b);
        await assertBytes(trial.store, upload, { start, end });
      });
      await Promise.all(reads);
    });

    suite.test('gives what is there of an unfinished upload', async (trial) => {
      const upload = await create(trial, { size: 1000 });
      await append(upload, 0, 600);
      await assertBytes(trial.store, await trial.store.getUpload(upload.id), {
        start: 5,
        end: 600,
      });
    });

    suite.test('goes on while more is written', async (trial) => {
      const upload = await create(trial, { size: 1000 });
      await append(upload, 0, 600);
      const reader = await trial.store.getUpload(upload.id);
      if (await refusesUnfinished(suite, reader)) return;
      const body = new MemoryBody([[...arraysAt(600, 300, 100)]], { stall: true });
      const writing = upload.writeChunk(600, body);
      await body.drained;
      await assertBytes(trial.store, reader, { start: 0, end: 600 });
      body.stop('interrupted');
      assertWritten(await writing, 300);
    });

    suite.test('leaves nothing open where a stream is destroyed early', async (trial) => {
      const upload = await finished(trial);
      const before = await openFiles();
      for (let count = 0; count < 50; count++) await destroyEarly(upload, count % 2 === 0);
      // A little slack: what else happens in this process opens files too.
      assert.ok((await openFiles()) < before + 20, 'descriptors are closed');
      await assertStored(trial, upload.id, size);
    });

    suite.test('gives large uploads to slow readers', async (trial) => {
      const upload = await create(trial, { size: 4 * MiB });
      const arrays = [...arraysAt(0, 4 * MiB, 64 * KiB)];
      assertWritten(await upload.writeChunk(0, bodyOf(...arrays)), 4 * MiB);
      await complete(upload);
      const result = await upload.read?.({ start: 0, end: 4 * MiB });
      if (result === undefined || 'redirect' in result) return;
      let received = 0;
      for await (const chunk of result.stream) {
        received += Buffer.from(chunk).byteLength;
        await setImmediate();
      }
      assert.equal(received, 4 * MiB);
    });
  });
}

async function finished(trial: Trial): Promise<Upload> {
  const upload = await create(trial, { size });
  // Arrays of an odd length, so that ranges begin and end inside of them.
  assertWritten(await upload.writeChunk(0, bodyOf(...arraysAt(0, size, 3333))), size);
  await complete(upload);
  return trial.store.getUpload(upload.id);
}

/** Whether the store is one of those that cannot read before the finish step has run. */
async function refusesUnfinished(suite: Suite, upload: Upload): Promise<boolean> {
  try {
    const result = await upload.read?.({ start: 0, end: 1 });
    if (result !== undefined && 'stream' in result) result.stream.destroy();
    return false;
  } catch (error) {
    assert.ok(suite.capabilities.finishing && isTusError(error, 'ERR_INCOMPLETE_UPLOAD'));
    return true;
  }
}

async function destroyEarly(upload: Upload, afterFirstBytes: boolean): Promise<void> {
  const result = await upload.read?.({ start: 0, end: size });
  if (result === undefined || 'redirect' in result) return;
  const { stream } = result;
  if (afterFirstBytes) await once(stream, 'readable');
  const closed = once(stream, 'close');
  stream.destroy();
  assert.equal((await settled(closed)).status, 'fulfilled');
}

/** Open descriptors of this process; 0 where the system does not tell. */
async function openFiles(): Promise<number> {
  if (process.platform !== 'linux') return 0;
  return (await readdir('/proc/self/fd')).length;
}
