import { S3 } from '@aws-sdk/client-s3';
import { S3Store } from 'tuskd/s3';
import { describe, expect, it } from 'vitest';
import { MemoryBody, bodyOf } from '../../dist/testing/memory-body.js';
import { bytesAt, draft } from '../../dist/testing/data-store/fixtures.js';
import type { S3Api } from '../../dist/stores/s3/s3-api.js';
import { useS3 } from '../services/use-s3.js';
import { aroundS3 } from './around-s3.js';
import { append, completeFrom, fileOf, keyOf, MiB, newUpload, openBed } from './s3-bed.js';

describe('when memory is short', () => {
  const server = useS3();

  it('field 67: what silent clients have sent is stored, and others go on', async () => {
    const api = new S3({ ...server().clientConfig, maxAttempts: 1 });
    const bucket = await server().newBucket();
    // Room for two parts, which two silent clients take.
    const maxBufferedBytes = 10 * MiB;
    const store = new S3Store({ api, bucket, provider: server().provider, maxBufferedBytes });
    const size = 20 * MiB;
    const sent = [3 * MiB, 6 * MiB];
    const silent = await Promise.all(
      sent.map(async (length) => {
        const upload = await store.newUpload(draft({ size }));
        const body = new MemoryBody([[bytesAt(0, length)]], { stall: true });
        const writing = upload.writeChunk(0, body);
        await body.drained;
        return { upload, body, writing, length };
      }),
    );
    const other = await store.newUpload(draft({ size }));
    expect(await other.writeChunk(0, bodyOf(bytesAt(0, size)))).toEqual({ bytesWritten: size });

    for (const { upload, body, writing, length } of silent) {
      const before = await (await store.getUpload(upload.id)).getInfo();
      body.stop('interrupted');
      expect(await writing).toEqual({ bytesWritten: length });
      const again = await store.getUpload(upload.id);
      const { offset } = await again.getInfo();
      expect(offset).toBe(length);
      expect(offset).toBeGreaterThanOrEqual(before.offset);
      const rest = bodyOf(bytesAt(offset, size - offset));
      expect(await again.writeChunk(offset, rest)).toEqual({ bytesWritten: size - offset });
      await again.finish?.();
      const result = await again.read?.({ start: 0, end: size });
      if (result === undefined || 'redirect' in result) throw new Error('no stream');
      const chunks: Buffer[] = [];
      for await (const chunk of result.stream) chunks.push(Buffer.from(chunk));
      expect(Buffer.concat(chunks).equals(bytesAt(0, size))).toBe(true);
    }
    api.destroy();
  });

  it.each([
    ['with the tail of an earlier request', 3, 6],
    ['with an end that is too small for a part', 0, 9],
  ])(
    'field 67: parts keep to the bound, too, that are put together: %s',
    async (_, beginMiB, endMiB) => {
      const bed = await openBed(server());
      const maxBufferedBytes = 10 * MiB;
      let [bytesOnTheirWay, most] = [0, 0];
      const api: S3Api = {
        ...aroundS3(bed.direct, (_operation, run) => run()),
        async uploadPart(input, options) {
          bytesOnTheirWay += input.ContentLength;
          most = Math.max(most, bytesOnTheirWay);
          const stored = await bed.direct.uploadPart(input, options);
          bytesOnTheirWay -= input.ContentLength;
          return stored;
        },
      };
      const store = bed.freshStore({ api, maxBufferedBytes });
      const file = fileOf(20 * MiB);
      const [begin, end] = [beginMiB * MiB, endMiB * MiB];
      const ids = await Promise.all(Array.from({ length: 12 }, () => newUpload(store, 20 * MiB)));
      if (begin > 0) for (const id of ids) await append(store, id, 0, file.subarray(0, begin));
      const writing = ids.map((id) => append(store, id, begin, file.subarray(begin, end)));
      for (const result of await Promise.all(writing)) {
        expect(result).toEqual({ bytesWritten: end - begin });
      }
      expect(most).toBeGreaterThanOrEqual(5 * MiB);
      expect(most).toBeLessThanOrEqual(maxBufferedBytes);
      const [id = ''] = ids;
      await completeFrom(store, id, file);
      expect((await bed.object(keyOf(id))).equals(file)).toBe(true);
    },
  );
});
