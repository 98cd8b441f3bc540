import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  errorIn200,
  fail,
  hideNewestParts,
  hold,
  loseAnswer,
  reset,
  type S3Fault,
  stall,
} from '../services/s3-faults.js';
import { useS3 } from '../services/use-s3.js';
import { create, head, offsetOf, patch } from '../protocol/tus.js';
import {
  append,
  completeFrom,
  fileOf,
  infoIn,
  keyOf,
  MiB,
  newUpload,
  openBed,
  sha256,
} from './s3-bed.js';
import { idIn, serve } from './s3-http.js';

const s3 = useS3();
const file = fileOf(22 * MiB);
const refused = fail(503, 'SlowDown');

describe('field 14: a part that fails on every attempt', () => {
  it.each([
    ['the first', 1, refused, 0],
    ['one in the middle', 2, refused, 5 * MiB],
    ['the last', 4, refused, 15 * MiB],
  ])('leaves the prefix: %s', async (_, partNumber, fault, prefix) => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, file.byteLength);
    bed.proxy.inject({ operation: 'UploadPart', partNumber, times: 2 }, fault);
    expect((await patch(server, path, 0, file)).status).toBe(500);
    expect(await offsetOf(server, path)).toBe(prefix);
    expect((await infoIn(bed.freshStore(), idIn(path))).offset).toBe(prefix);
    expect((await patch(server, path, prefix, file.subarray(prefix))).status).toBe(204);
    expect(sha256(await bed.object(keyOf(idIn(path))))).toBe(sha256(file));
  });
});

it('field 14: a part counts of which no attempt has heard that it is stored', async () => {
  const bed = await openBed(s3());
  const store = bed.store();
  const id = await newUpload(store, file.byteLength);
  bed.proxy.inject({ operation: 'UploadPart', partNumber: 2, times: 2 }, loseAnswer);
  const seen: number[] = [];
  // As a request does that does not wait for the lock.
  const look = async (): Promise<void> => {
    seen.push((await infoIn(bed.freshStore(), id)).offset);
  };
  const writing = append(store, id, 0, file.subarray(0, 18 * MiB));
  const isOver = writing.then(() => true);
  do await look();
  while (!(await Promise.race([isOver, Promise.resolve(false)])));
  const { bytesWritten, error } = await writing;
  expect(error).toBeDefined();
  await look();
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen.at(-1)).toBe(bytesWritten);
  expect(bytesWritten).toBeGreaterThanOrEqual(10 * MiB);
  await completeFrom(bed.freshStore(), id, file);
  expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
});

it('field 14: counts no part behind a gap where the writer dies as well', async () => {
  const bed = await openBed(s3());
  const id = await newUpload(bed.store(), file.byteLength);
  bed.proxy.inject({ operation: 'UploadPart', partNumber: 2, times: 2 }, refused);
  const isInfo = (key: string): boolean => key.endsWith('.info');
  const crash = { operation: 'PutObject', key: isInfo, nth: 2, times: Infinity } as const;
  bed.proxy.inject(crash, fail(400, 'Dead'));
  await append(bed.store(), id, 0, file.subarray(0, 15 * MiB));
  expect(bed.proxy.total('UploadPart').requests).toBeGreaterThan(3);
  expect((await infoIn(bed.freshStore(), id)).offset).toBe(5 * MiB);
  await completeFrom(bed.freshStore(), id, file);
  expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
});

it.each([
  ['a reset in the middle of a part', reset(MiB)],
  ['a lost answer', loseAnswer],
  ['an error of S3', fail(500, 'InternalError')],
  ['an error before the body is read', fail(503, 'SlowDown', { early: true })],
])('tries again after %s', async (_, fault) => {
  const bed = await openBed(s3());
  const store = bed.store();
  const id = await newUpload(store, file.byteLength);
  bed.proxy.inject({ operation: 'UploadPart', partNumber: 2 }, fault);
  await completeFrom(store, id, file);
  expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
  expect(bed.proxy.log.filter(({ call }) => call.partNumber === 2)).toHaveLength(2);
});

describe('an S3 that says nothing', () => {
  it('is given up and asked again', async () => {
    const bed = await openBed(s3());
    const store = bed.store({ attemptTimeoutMs: 300 });
    const id = await newUpload(store, MiB);
    bed.proxy.inject({ operation: 'UploadPart' }, stall);
    await completeFrom(store, id, file.subarray(0, MiB));
    expect((await bed.object(keyOf(id))).equals(file.subarray(0, MiB))).toBe(true);
  });

  it.each(['PutObject', 'GetObject'] as const)(
    'may take long for many bytes: %s',
    async (operation) => {
      const bed = await openBed(s3());
      const store = bed.store({ attemptTimeoutMs: 1000, attempts: 1 });
      const id = await newUpload(store, file.byteLength);
      const isPiece = (key: string): boolean => key.startsWith('.tuskd/');
      const slow: S3Fault = async (exchange) => {
        // 2 MiB may take four seconds more.
        await sleep(2000);
        await exchange.relay(await exchange.forward());
      };
      bed.proxy.inject({ operation, key: isPiece }, slow);
      await append(store, id, 0, file.subarray(0, 2 * MiB));
      const rest = await append(store, id, 2 * MiB, file.subarray(2 * MiB, 6 * MiB));
      expect(rest).toEqual({ bytesWritten: 4 * MiB });
    },
  );

  it('holds nobody who gives the work up', async () => {
    const bed = await openBed(s3());
    const store = bed.store();
    const id = await newUpload(store, MiB);
    bed.proxy.inject({ operation: 'UploadPart', times: Infinity }, stall);
    const controller = new AbortController();
    const writing = append(store, id, 0, file.subarray(0, MiB), { signal: controller.signal });
    await expect.poll(() => bed.proxy.total('UploadPart').requests).toBe(1);
    const start = performance.now();
    controller.abort(new Error('given up'));
    expect(await writing).toMatchObject({ bytesWritten: 0, error: { message: 'given up' } });
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('holds nobody who gives the work up while others have all slots', async () => {
    const bed = await openBed(s3());
    const store = bed.store({ concurrentPartUploads: 1 });
    const [other, id] = [await newUpload(store, MiB), await newUpload(store, MiB)];
    const held = hold();
    bed.proxy.inject({ operation: 'UploadPart' }, held.fault);
    const first = append(store, other, 0, file.subarray(0, MiB));
    await held.reached;
    const controller = new AbortController();
    bed.proxy.forget();
    const writing = append(store, id, 0, file.subarray(0, MiB), { signal: controller.signal });
    // Its session is open: it waits for the slot.
    await expect.poll(() => bed.proxy.total('PutObject').requests).toBe(1);
    controller.abort(new Error('given up'));
    expect(await writing).toMatchObject({ bytesWritten: 0, error: { message: 'given up' } });
    held.release();
    expect(await first).toEqual({ bytesWritten: MiB });
    expect(await append(store, id, 0, file.subarray(0, MiB))).toEqual({ bytesWritten: MiB });
  });

  it('does not hold the lock for longer than a request may take after its client has gone', async () => {
    const bed = await openBed(s3());
    const server = await serve(bed.store(), { requestCompletionTimeoutMs: 200 });
    const path = await create(server, MiB);
    const wait = bed.proxy.inject({ operation: 'UploadPart', times: Infinity }, stall);
    const controller = new AbortController();
    const sent = fetch(`http://127.0.0.1:${server.port}${path}`, {
      method: 'PATCH',
      headers: {
        'Tus-Resumable': '1.0.0',
        'Upload-Offset': '0',
        'Content-Type': 'application/offset+octet-stream',
      },
      body: file.subarray(0, MiB),
      signal: controller.signal,
    });
    await expect.poll(() => bed.proxy.total('UploadPart').requests).toBe(1);
    controller.abort();
    await expect(sent).rejects.toThrow('aborted');
    wait();
    expect((await patch(server, path, 0, file.subarray(0, MiB))).status).toBe(204);
  });
});

describe('field 15: a completion that fails', () => {
  const body = file.subarray(0, 7 * MiB);

  it.each<[string, S3Fault]>([
    ['with 503', refused],
    ['with an error in an answer of 200', errorIn200('InternalError')],
  ])('%s once is tried again', async (_, fault) => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, body.byteLength);
    bed.proxy.inject({ operation: 'CompleteMultipartUpload' }, fault);
    expect((await patch(server, path, 0, body)).status).toBe(204);
    expect((await bed.object(keyOf(idIn(path)))).equals(body)).toBe(true);
    expect(server.finishes()).toBe(1);
  });

  it.each<[string, 'HEAD' | 'PATCH', S3Fault]>([
    ['with 503', 'HEAD', refused],
    ['with 503', 'PATCH', refused],
    ['with an error in an answer of 200', 'HEAD', errorIn200('InternalError')],
    ['with an error in an answer of 200', 'PATCH', errorIn200('InternalError')],
  ])('%s on every attempt is no completion; %s runs it again', async (_, method, fault) => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, body.byteLength);
    const recover = bed.proxy.inject({ operation: 'CompleteMultipartUpload', times: 4 }, fault);
    expect((await patch(server, path, 0, body)).status).toBe(503);
    expect((await head(server, path)).status).toBe(503);
    expect(server.finishes()).toBe(0);
    recover();
    const again =
      method === 'HEAD' ? await head(server, path) : await patch(server, path, body.byteLength, '');
    expect(again.status).toBe(method === 'HEAD' ? 200 : 204);
    expect(again.header('upload-offset')).toBe(String(body.byteLength));
    expect((await bed.object(keyOf(idIn(path)))).equals(body)).toBe(true);
    expect(await offsetOf(server, path)).toBe(body.byteLength);
    expect(server.finishes()).toBe(1);
  });

  it('field 16: a completion whose answer is lost is one', async () => {
    const bed = await openBed(s3());
    const server = await serve(bed.store());
    const path = await create(server, body.byteLength);
    bed.proxy.inject({ operation: 'CompleteMultipartUpload' }, loseAnswer);
    // Not every server knows afterwards what it has completed.
    const forgotten = fail(404, 'NoSuchUpload');
    bed.proxy.inject({ operation: 'CompleteMultipartUpload', nth: 2 }, forgotten);
    expect((await patch(server, path, 0, body)).status).toBe(204);
    expect(await offsetOf(server, path)).toBe(body.byteLength);
    expect(server.finishes()).toBe(1);
  });

  it('field 16: a completion whose answer no attempt has seen is found by another process', async () => {
    const bed = await openBed(s3());
    const server = await serve(bed.store({ attempts: 1 }));
    const path = await create(server, body.byteLength);
    bed.proxy.inject({ operation: 'CompleteMultipartUpload' }, loseAnswer);
    expect((await patch(server, path, 0, body)).status).toBe(503);
    expect(server.finishes()).toBe(0);
    const next = await serve(bed.freshStore());
    expect(await offsetOf(next, path)).toBe(body.byteLength);
    expect(await offsetOf(next, path)).toBe(body.byteLength);
    expect(next.finishes()).toBe(1);
  });
});

describe('field 22: a list of parts that is behind', () => {
  it('does not matter after a clean end', async () => {
    const bed = await openBed(s3());
    const store = bed.store();
    const id = await newUpload(store, file.byteLength);
    bed.proxy.inject({ operation: 'ListParts', times: Infinity }, hideNewestParts(2));
    await append(store, id, 0, file.subarray(0, 12 * MiB));
    expect((await infoIn(store, id)).offset).toBe(12 * MiB);
    await completeFrom(store, id, file);
    expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
  });

  it('does not matter for a completion after a gap, either', async () => {
    const bed = await openBed(s3());
    const store = bed.store();
    const id = await newUpload(store, file.byteLength);
    bed.proxy.inject({ operation: 'UploadPart', partNumber: 2, times: 2 }, refused);
    await append(store, id, 0, file.subarray(0, 12 * MiB));
    bed.proxy.inject({ operation: 'ListParts', times: Infinity }, hideNewestParts(2));
    await completeFrom(store, id, file);
    expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
  });

  it('shows no wrong byte after a crash of the writer', async () => {
    const bed = await openBed(s3());
    const id = await newUpload(bed.store(), file.byteLength);
    const isInfo = (key: string): boolean => key.endsWith('.info');
    const crash = bed.proxy.inject(
      { operation: 'PutObject', key: isInfo, nth: 2, times: 9 },
      fail(400, 'Dead'),
    );
    const { error } = await append(bed.store(), id, 0, file.subarray(0, 12 * MiB));
    expect(error).toMatchObject({ name: 'Dead' });
    crash();
    const catchUp = bed.proxy.inject(
      { operation: 'ListParts', times: Infinity },
      hideNewestParts(1),
    );
    const { offset } = await infoIn(bed.store(), id);
    expect(offset).toBeLessThanOrEqual(12 * MiB);
    await append(bed.store(), id, offset, file.subarray(offset, 16 * MiB));
    expect((await infoIn(bed.store(), id)).offset).toBe(16 * MiB);
    catchUp();
    expect((await infoIn(bed.store(), id)).offset).toBe(16 * MiB);
    await completeFrom(bed.store(), id, file);
    expect(sha256(await bed.object(keyOf(id)))).toBe(sha256(file));
  });
});
