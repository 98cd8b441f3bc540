import { S3 } from '@aws-sdk/client-s3';
import { S3Store } from 'tuskd/s3';
import { describe, expect, it } from 'vitest';
import { MemoryBody, bodyOf } from '../../dist/testing/memory-body.js';
import { bytesAt, draft } from '../../dist/testing/data-store/fixtures.js';
import { useS3 } from '../services/use-s3.js';

const MiB = 1024 * 1024;

describe('when memory is short', () => {
  const server = useS3();

  it('what silent clients have sent is stored, and others go on', async () => {
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
});
