import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { hold } from '../services/s3-faults.js';
import { useS3 } from '../services/use-s3.js';
import { chunkType, connect, create, requestHead } from '../protocol/tus.js';
import { append, fileOf, keyOf, MiB, newUpload, openBed } from './s3-bed.js';
import { idIn, serve } from './s3-http.js';

const s3 = useS3();

it('slows a client down where S3 is slow, and holds no more than the parts that it may', async () => {
  const bed = await openBed(s3());
  const server = await serve(bed.store({ partsInFlight: 2 }));
  const size = 100 * MiB;
  const path = await create(server, size);
  const held = hold();
  bed.proxy.inject({ operation: 'UploadPart', times: Infinity }, held.fault);
  const client = await connect(server);
  const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': String(size) };
  await client.send(requestHead('PATCH', path, { headers }));
  const sending = client.sendZeros(size);
  await expect.poll(() => bed.proxy.total('UploadPart').requests).toBe(2);
  // As much as is taken at least: on a busy machine, a client may pause before.
  await expect.poll(() => client.socket.bytesWritten).toBeGreaterThan(20 * MiB);
  // It has stopped once nothing more goes out for a while.
  await expect
    .poll(async () => {
      const before = client.socket.bytesWritten;
      await sleep(200);
      return client.socket.bytesWritten - before;
    })
    .toBe(0);
  // Two parts on their way, one that is full with as much as a minimum behind it, and what the sockets hold.
  expect(client.socket.bytesWritten).toBeGreaterThan(20 * MiB);
  expect(client.socket.bytesWritten).toBeLessThan(32 * MiB);
  expect(bed.proxy.total('UploadPart').requests).toBe(2);
  held.release();
  await sending;
  expect((await client.response()).status).toBe(204);
  expect((await bed.object(keyOf(idIn(path)))).equals(Buffer.alloc(size))).toBe(true);
});

it('sends one part at a time where it is told to send none', async () => {
  const bed = await openBed(s3());
  const store = bed.store({ partsInFlight: 0, concurrentPartUploads: 0 });
  const id = await newUpload(store, MiB);
  expect(await append(store, id, 0, fileOf(MiB))).toEqual({ bytesWritten: MiB });
});
