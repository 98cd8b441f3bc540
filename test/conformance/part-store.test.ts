import { describe, expect, it } from 'vitest';
import type { DataStore, Upload } from '../../dist/core/data-store.js';
import { MemoryBody, bodyOf } from '../../dist/testing/memory-body.js';
import { readRange } from '../../dist/testing/data-store/assertions.js';
import { bytesAt, draft, listed } from '../../dist/testing/data-store/fixtures.js';
import { type Fault, PartBucket } from '../fakes/part-bucket.js';
import { splitId } from '../fakes/part-record.js';
import { PartStore } from '../fakes/part-store.js';

const part = 1000;

interface Fixture {
  readonly bucket: PartBucket;
  readonly store: DataStore;
  readonly upload: Upload;
}

async function begin(size: number, stored = 0): Promise<Fixture> {
  const bucket = new PartBucket(part);
  const store = new PartStore(bucket);
  const upload = await store.newUpload(draft({ id: 'object', size }));
  if (stored > 0) await upload.writeChunk(0, bodyOf(bytesAt(0, stored)));
  return { bucket, store, upload };
}

/** Goes on from the offset that another instance sees, to the end, and compares every byte. */
async function expectToBeResumed({ bucket, upload: { id } }: Fixture): Promise<void> {
  const upload = await new PartStore(bucket).getUpload(id);
  const { offset, size = 0 } = await upload.getInfo();
  const result = await upload.writeChunk(offset, bodyOf(bytesAt(offset, size - offset)));
  expect(result).toEqual({ bytesWritten: size - offset });
  await upload.finish?.();
  const bytes = await readRange(upload, { start: 0, end: size });
  expect(bytes.equals(bytesAt(0, size))).toBe(true);
  expect(bucket.contents).toEqual({ objects: ['object', 'object.info'], multiparts: [] });
}

async function offsetOf({ bucket, upload }: Fixture): Promise<number> {
  const other = await new PartStore(bucket).getUpload(upload.id);
  return (await other.getInfo()).offset;
}

describe('the part store', () => {
  describe('keeps the prefix without a gap', () => {
    const faults: [number, Fault, number][] = [
      [1, { partNumber: 1 }, 0],
      [2, { partNumber: 2 }, part],
      [3, { partNumber: 3 }, 2 * part],
      [2, { partNumber: 2, answerLost: true }, part],
    ];
    for (const [number, fault, expected] of faults) {
      const how = fault.answerLost ? 'has no answer' : 'fails';
      it(`when part ${number} of 4 ${how}`, async () => {
        const fixture = await begin(4500);
        fixture.bucket.failNext('uploadPart', fault);
        const result = await fixture.upload.writeChunk(0, bodyOf(bytesAt(0, 4500)));
        expect(result.error).toMatchObject({ code: 'InjectedFault' });
        expect(result.bytesWritten).toBe(expected);
        // What had no answer may be there all the same.
        expect(await offsetOf(fixture)).toBeGreaterThanOrEqual(expected);
        if (!fault.answerLost) expect(await offsetOf(fixture)).toBe(expected);
        await expectToBeResumed(fixture);
      });
    }

    it('when a part in the middle vanishes', async () => {
      const fixture = await begin(6000, 4500);
      fixture.bucket.vanishPart(splitId(fixture.upload.id).multipart, 2);
      expect(await offsetOf(fixture)).toBe(part);
      await expectToBeResumed(fixture);
    });

    it('when parts are lost again and again', async () => {
      const fixture = await begin(9000);
      for (let round = 0; round < 4; round++) {
        fixture.bucket.failNext('uploadPart', { partNumber: 2 + 4 * round });
        const upload = await fixture.store.getUpload(fixture.upload.id);
        const { offset } = await upload.getInfo();
        const { bytesWritten } = await upload.writeChunk(
          offset,
          bodyOf(bytesAt(offset, 9000 - offset)),
        );
        expect(await offsetOf(fixture)).toBe(offset + bytesWritten);
      }
      await expectToBeResumed(fixture);
    });
  });

  describe('keeps the tail', () => {
    it('when a longer one cannot be stored', async () => {
      const fixture = await begin(5000, 1300);
      fixture.bucket.failNext('putObject');
      const result = await fixture.upload.writeChunk(1300, bodyOf(bytesAt(1300, 200)));
      expect(result.bytesWritten).toBe(0);
      expect(await offsetOf(fixture)).toBe(1300);
      await expectToBeResumed(fixture);
    });

    it('when the part that covers it cannot be stored', async () => {
      const fixture = await begin(5000, 1300);
      fixture.bucket.failNext('uploadPart');
      const result = await fixture.upload.writeChunk(1300, bodyOf(bytesAt(1300, 2000)));
      expect(result.bytesWritten).toBe(0);
      expect(await offsetOf(fixture)).toBe(1300);
      await expectToBeResumed(fixture);
    });

    it('once, when it cannot be deleted after a part has covered it', async () => {
      const fixture = await begin(5000, 1300);
      fixture.bucket.failNext('deleteObject');
      const result = await fixture.upload.writeChunk(1300, bodyOf(bytesAt(1300, 700)));
      expect(result.bytesWritten).toBe(700);
      expect(await offsetOf(fixture)).toBe(2000);
      await expectToBeResumed(fixture);
    });
  });

  describe('finishes', () => {
    const faults: Record<string, Fault> = {
      'after three failures': { times: 3 },
      'after an answer was lost': { answerLost: true },
    };
    for (const [name, fault] of Object.entries(faults)) {
      it(name, async () => {
        const fixture = await begin(2500, 2500);
        fixture.bucket.failNext('completeMultipart', fault);
        for (let times = fault.times ?? 1; times > 0; times--) {
          await expect(fixture.upload.finish?.()).rejects.toThrow('completeMultipart');
          expect(await offsetOf(fixture)).toBe(2500);
        }
        await fixture.upload.finish?.();
        const bytes = await readRange(fixture.upload, { start: 0, end: 2500 });
        expect(bytes.equals(bytesAt(0, 2500))).toBe(true);
      });
    }
  });

  it('leaves nothing in the bucket of an upload that is terminated', async () => {
    for (const stored of [0, 300, 1500, 2500]) {
      const { bucket, upload } = await begin(2500, stored);
      if (stored === 2500) await upload.finish?.();
      await upload.terminate?.();
      expect(bucket.contents).toEqual({ objects: [], multiparts: [] });
    }
  });

  it('calls an upload an orphan once a rule of the bucket has aborted it', async () => {
    const { bucket, store, upload } = await begin(2500, 1500);
    await bucket.abortMultipart(splitId(upload.id).multipart);
    await expect(store.getUpload(upload.id)).rejects.toMatchObject({
      code: 'ERR_UPLOAD_NOT_FOUND',
    });
    expect(await listed(store)).toEqual([`orphan ${upload.id}`]);
  });

  describe('refuses', () => {
    it('two changes at once', async () => {
      const { upload } = await begin(2500);
      const body = new MemoryBody([[bytesAt(0, 10)]], { stall: true });
      const writing = upload.writeChunk(0, body);
      await body.drained;
      await expect(upload.update({ expiresAt: 1 })).rejects.toThrow('two changes');
      await expect(upload.writeChunk(0, bodyOf())).rejects.toThrow('two changes');
      await expect(upload.terminate?.()).rejects.toThrow('two changes');
      body.stop('interrupted');
      expect(await writing).toEqual({ bytesWritten: 10 });
    });

    it('a chunk at the wrong offset', async () => {
      const { upload } = await begin(2500, 700);
      await expect(upload.writeChunk(0, bodyOf(bytesAt(0, 1)))).rejects.toThrow('chunk for 0');
    });

    it('a provisional chunk', async () => {
      const { upload } = await begin(2500);
      const writing = upload.writeChunk(0, bodyOf(), { provisional: true });
      await expect(writing).rejects.toThrow('without the capability');
    });

    it('reading beyond the offset', async () => {
      const { upload } = await begin(2500, 2500);
      await upload.finish?.();
      await expect(upload.read?.({ start: 0, end: 2501 })).rejects.toThrow('bytes 0 to 2501');
    });

    it('to finish early', async () => {
      const { upload } = await begin(2500, 2499);
      await expect(upload.finish?.()).rejects.toThrow('before the last byte');
    });

    it('another size', async () => {
      const { upload } = await begin(2500);
      await expect(upload.update({ size: 2501 })).rejects.toThrow('a size of 2501');
    });

    it('a handle after terminate()', async () => {
      const { upload } = await begin(2500);
      await upload.terminate?.();
      await expect(upload.writeChunk(0, bodyOf())).rejects.toThrow('after terminate()');
      await expect(upload.update({})).rejects.toThrow('after terminate()');
    });
  });
});
