import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FetchBody } from '../../dist/http/fetch/fetch-body.js';

const MiB = 1024 * 1024;
const bytes = (text: string) => new TextEncoder().encode(text);

/** A stream to feed by hand, and what became of it. */
function source() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const state = { cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => void (state.cancelled = true),
  });
  return {
    stream,
    state,
    send: (text: string) => controller?.enqueue(bytes(text)),
    end: () => controller?.close(),
    fail: () => controller?.error(new Error('reset')),
  };
}

function bodyOf(
  stream: ReadableStream<Uint8Array> | null,
  { length, idleTimeoutMs = 60_000 }: { length?: number; idleTimeoutMs?: number } = {},
) {
  const client = new AbortController();
  const body = new FetchBody(stream, { length, idleTimeoutMs, disconnected: client.signal });
  return { body, leave: () => client.abort() };
}

async function textOf(batch: Promise<Uint8Array[] | null>): Promise<string | null> {
  const arrays = await batch;
  return arrays && Buffer.concat(arrays).toString();
}

/** A client that sends 64 KiB whenever it may, for ever. */
function endless() {
  const state = { sent: 0 };
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      state.sent += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
  });
  return { stream, state };
}

describe('FetchBody', () => {
  it('hands out what arrives, and null when all was complete', async () => {
    const client = source();
    const { body } = bodyOf(client.stream);
    const first = textOf(body.next());
    client.send('hello');
    expect(await first).toBe('hello');
    expect(body.endReason).toBeUndefined();
    const last = body.next();
    client.end();
    expect(await last).toBeNull();
    expect(body.endReason).toBe('complete');
    expect(client.state.cancelled).toBe(false);
  });

  it('reads nothing before it is asked', async () => {
    const { stream, state } = endless();
    bodyOf(stream);
    await delay(5);
    expect(state.sent).toBeLessThanOrEqual(65_536);
  });

  it('collects what arrives meanwhile, without empty pieces', async () => {
    const client = source();
    const { body } = bodyOf(client.stream);
    const first = body.next();
    client.send('a');
    await first;
    for (const text of ['b', '', 'c', 'd']) client.send(text);
    await delay(5);
    const batch = await body.next();
    expect(batch?.map((array) => Buffer.from(array).toString())).toEqual(['b', 'c', 'd']);
  });

  it('holds a MiB for a slow store and then slows the client down', async () => {
    const { stream, state } = endless();
    const { body } = bodyOf(stream);
    await body.next();
    await delay(20);
    const sent = state.sent;
    expect(sent).toBeGreaterThanOrEqual(MiB);
    expect(sent).toBeLessThan(MiB + 4 * 65_536);
    expect(Buffer.concat((await body.next()) ?? []).length).toBeGreaterThanOrEqual(MiB);
    await expect.poll(() => state.sent).toBeGreaterThan(sent);
    body.stop('stopped');
  });

  it('stop() settles a waiting next() at once, and cancels the stream', async () => {
    const client = source();
    const { body } = bodyOf(client.stream);
    const waiting = body.next();
    const began = performance.now();
    body.stop('interrupted');
    body.stop('shutdown');
    expect(await waiting).toBeNull();
    expect(performance.now() - began).toBeLessThan(50);
    expect(body.endReason).toBe('interrupted');
    expect(client.state.cancelled).toBe(true);
    expect(await body.next()).toBeNull();
  });

  it('after stop(), what has arrived is handed out before the null', async () => {
    const client = source();
    const { body } = bodyOf(client.stream);
    const first = body.next();
    client.send('a');
    await first;
    client.send('b');
    body.stop('interrupted');
    client.send('c');
    expect(await textOf(body.next())).toMatch(/^bc?$/);
    await expect.poll(() => body.endReason).toBe('interrupted');
    while ((await body.next()) !== null);
  });

  it('of a body that is abandoned, nothing is handed out any more', async () => {
    const client = source();
    const { body } = bodyOf(client.stream);
    const first = body.next();
    client.send('hello');
    await first;
    client.send(' world');
    await delay(5);
    body.stop('interrupted');
    body.stop('abandoned');
    expect(await body.next()).toBeNull();
    expect(client.state.cancelled).toBe(true);
  });

  it('a body that is all here is complete, even if it was stopped before it was asked for', async () => {
    const client = source();
    const { body } = bodyOf(client.stream, { length: 5 });
    client.send('hel');
    client.send('lo');
    body.stop('interrupted');
    let text = '';
    for (let piece; (piece = await textOf(body.next())) !== null;) text += piece;
    expect(text).toBe('hello');
    expect(body.endReason).toBe('complete');
  });

  it('a client that goes on sending does not keep a stopped body from its end', async () => {
    const { stream } = endless();
    const { body } = bodyOf(stream);
    await body.next();
    body.stop('interrupted');
    let received = 0;
    for (let batch; (batch = await body.next()) !== null;) {
      for (const array of batch) received += array.length;
    }
    expect(received).toBeLessThan(3 * MiB);
    expect(body.endReason).toBe('interrupted');
  });

  it('field 3: a stream that fails is the end: what was read is kept', async () => {
    const client = source();
    const { body } = bodyOf(client.stream);
    const first = textOf(body.next());
    client.send('hello');
    expect(await first).toBe('hello');
    client.fail();
    expect(await body.next()).toBeNull();
    expect(body.endReason).toBe('disconnected');
  });

  it('field 3: so is a client that has gone, even if the stream says nothing of it', async () => {
    const client = source();
    const { body, leave } = bodyOf(client.stream);
    const waiting = body.next();
    leave();
    expect(await waiting).toBeNull();
    expect(body.endReason).toBe('disconnected');
    expect(client.state.cancelled).toBe(true);
  });

  it('field 2: of a client that has gone before, what the runtime holds is handed out', async () => {
    const client = source();
    const { body, leave } = bodyOf(client.stream, { length: 5 });
    client.send('hello');
    leave();
    expect(await textOf(body.next())).toBe('hello');
    expect(await body.next()).toBeNull();
    expect(body.endReason).toBe('complete');
  });

  it('a stream that ends before its length is a client that has gone', async () => {
    const client = source();
    const { body } = bodyOf(client.stream, { length: 10 });
    client.send('hello');
    client.end();
    expect(await textOf(body.next())).toBe('hello');
    expect(await body.next()).toBeNull();
    expect(body.endReason).toBe('disconnected');
  });

  it('is idle when nothing comes while somebody waits, not while the store is slow', async () => {
    const client = source();
    const { body } = bodyOf(client.stream, { idleTimeoutMs: 30 });
    const first = body.next();
    client.send('a');
    await first;
    await delay(100);
    expect(body.endReason).toBeUndefined();
    const began = performance.now();
    expect(await body.next()).toBeNull();
    expect(performance.now() - began).toBeLessThan(1000);
    expect(body.endReason).toBe('idle');
  });

  it('no stream is a body without bytes', async () => {
    const { body } = bodyOf(null);
    expect(await body.next()).toBeNull();
    expect(body.endReason).toBe('complete');
  });
});
