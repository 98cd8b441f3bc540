import { expect, it } from 'vitest';
import { MemoryBody, bodyOf } from '../../dist/testing/memory-body.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

it('hands out a batch for each call, and then its end', async () => {
  const body = new MemoryBody([[bytes(1), bytes(2, 3)], [bytes(4)]], { trailers: { a: 'b' } });
  expect(await body.next()).toEqual([bytes(1), bytes(2, 3)]);
  expect(body.endReason).toBeUndefined();
  expect(await body.next()).toEqual([bytes(4)]);
  expect(await body.next()).toBeNull();
  expect(await body.next()).toBeNull();
  expect(body.endReason).toBe('complete');
  expect(body.trailers).toEqual({ a: 'b' });
});

it('never hands out a batch without a byte', async () => {
  const body = new MemoryBody([[], [bytes()], [bytes(1)], [bytes()]]);
  expect(await body.next()).toEqual([bytes(1)]);
  expect(await body.next()).toBeNull();
});

it('ends after a number of bytes, in the middle of an array if need be', async () => {
  const options = { end: 'disconnected', endAfterBytes: 3 } as const;
  const body = new MemoryBody([[bytes(1, 2)], [bytes(3, 4)], [bytes(5)]], options);
  expect(await body.next()).toEqual([bytes(1, 2)]);
  expect(await body.next()).toEqual([bytes(3)]);
  expect(await body.next()).toBeNull();
  expect(body.endReason).toBe('disconnected');
});

it('falls silent until it is stopped, for the first reason given', async () => {
  const body = new MemoryBody([[bytes(1)]], { stall: true });
  await body.next();
  const waiting = body.next();
  await body.drained;
  expect(body.endReason).toBeUndefined();
  body.stop('interrupted');
  body.stop('shutdown');
  expect(await waiting).toBeNull();
  expect(body.endReason).toBe('interrupted');
});

it('does not wait for a source that never comes to its end', async () => {
  async function* silent(): AsyncGenerator<Uint8Array[]> {
    yield [bytes(1)];
    await new Promise(() => undefined);
  }
  const body = new MemoryBody(silent());
  await body.next();
  const waiting = body.next();
  body.stop('idle');
  expect(await waiting).toBeNull();
});

it('is not stopped after its end', async () => {
  const body = bodyOf(bytes(1));
  await body.next();
  await body.next();
  body.stop('shutdown');
  expect(body.endReason).toBe('complete');
});

it('throws when it is asked twice at once', async () => {
  const body = new MemoryBody([], { stall: true });
  const waiting = body.next();
  await expect(body.next()).rejects.toThrow('two calls');
  body.stop('shutdown');
  expect(await waiting).toBeNull();
});
