import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { PartBuffers } from '../../dist/stores/s3/part-buffers.js';

const MiB = 1024 * 1024;

/** Whether `work` has settled by now. */
async function isSettled(work: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void work.then(
    () => (settled = true),
    () => (settled = true),
  );
  await setImmediate();
  return settled;
}

describe('memory for parts', () => {
  it('is handed out up to its bound, then in the order in which it was asked for', async () => {
    const buffers = new PartBuffers(5 * MiB, 10 * MiB);
    const first = await buffers.takeInTurn(5 * MiB, undefined);
    const second = await buffers.takeInTurn(5 * MiB, undefined);
    const third = buffers.takeInTurn(5 * MiB, undefined);
    const fourth = buffers.takeInTurn(5 * MiB, undefined);
    expect(await isSettled(third)).toBe(false);
    expect(buffers.hasRoom(1)).toBe(false);
    buffers.give(first);
    expect(await isSettled(third)).toBe(true);
    expect(await isSettled(fourth)).toBe(false);
    buffers.give(second);
    expect(await isSettled(fourth)).toBe(true);
  });

  it('goes beyond its bound for one part that is larger than it, and no other beside', async () => {
    const buffers = new PartBuffers(5 * MiB, 10 * MiB);
    const large = await buffers.takeInTurn(50 * MiB, undefined);
    const next = buffers.takeInTurn(5 * MiB, undefined);
    expect(await isSettled(next)).toBe(false);
    buffers.give(large);
    expect(await isSettled(next)).toBe(true);
  });

  it('is waited for no longer than its signal allows, and leaves the line', async () => {
    const buffers = new PartBuffers(5 * MiB, 5 * MiB);
    const held = await buffers.takeInTurn(5 * MiB, undefined);
    const controller = new AbortController();
    const waiting = buffers.takeInTurn(5 * MiB, controller.signal);
    const behind = buffers.takeInTurn(5 * MiB, undefined);
    controller.abort(new Error('the client left'));
    await expect(waiting).rejects.toThrow('the client left');
    await expect(buffers.takeInTurn(1, controller.signal)).rejects.toThrow('the client left');
    buffers.give(held);
    expect(await isSettled(behind)).toBe(true);
  });

  it('is asked back from the one whose client has been silent for longest', async () => {
    const buffers = new PartBuffers(5 * MiB, 5 * MiB);
    const held = await buffers.takeInTurn(5 * MiB, undefined);
    const asked: string[] = [];
    const forget = buffers.hold({ lastBytesAt: 2, letGo: () => void asked.push('recent') });
    const whenAsked = new Promise<void>((resolve) =>
      buffers.hold({
        lastBytesAt: 1,
        letGo: () => {
          asked.push('silent');
          resolve();
        },
      }),
    );
    const waiting = buffers.takeInTurn(5 * MiB, undefined);
    await whenAsked;
    expect(asked).toEqual(['silent']);
    forget();
    buffers.give(held);
    await waiting;
  });

  it('is not counted for the small buffers that uploads begin with', async () => {
    const buffers = new PartBuffers(5 * MiB, 5 * MiB);
    for (let count = 0; count < 100; count++) buffers.filling(5 * MiB);
    expect(buffers.hasRoom(5 * MiB)).toBe(true);
  });

  it('is given back once, however often it is freed', async () => {
    const buffers = new PartBuffers(5 * MiB, 10 * MiB);
    const filling = buffers.filling(5 * MiB);
    filling.moveTo(await buffers.takeInTurn(5 * MiB, undefined));
    const other = await buffers.takeInTurn(5 * MiB, undefined);
    filling.free();
    filling.free();
    expect(buffers.hasRoom(5 * MiB)).toBe(true);
    expect(buffers.hasRoom(6 * MiB)).toBe(false);
    buffers.give(other);
  });

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
});
