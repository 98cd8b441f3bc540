import { expect, it } from 'vitest';
import { PartBuffers } from '../../dist/stores/s3/part-buffers.js';

const MiB = 1024 * 1024;

it('lets those in who wait behind one that gives up', async () => {
  const buffers = new PartBuffers(MiB, 4 * MiB);
  buffers.take(2 * MiB);
  const controller = new AbortController();
  const large = buffers.takeInTurn(4 * MiB, controller.signal);
  const small = buffers.takeInTurn(MiB, undefined);
  controller.abort(new Error('given up'));
  await expect(large).rejects.toThrow('given up');
  expect((await small).byteLength).toBe(MiB);
});
