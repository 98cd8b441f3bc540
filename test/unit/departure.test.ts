import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, vi } from 'vitest';
import { Departure } from '../../dist/http/departure.js';

const graceMs = 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a client that leaves', () => {
  it('is told at once, and work is abandoned after the grace', () => {
    const departure = new Departure(graceMs);
    const { disconnected, signal } = departure;
    let calls = 0;
    departure.onAbandoned(() => (calls += 1));
    assert.deepEqual([disconnected.aborted, signal.aborted, calls], [false, false, 0]);
    departure.leave();
    assert.deepEqual([disconnected.aborted, signal.aborted, calls], [true, false, 0]);
    vi.advanceTimersByTime(graceMs);
    departure.leave();
    vi.advanceTimersByTime(graceMs);
    assert.deepEqual([disconnected.aborted, signal.aborted, calls], [true, true, 1]);
  });

  it('is known to those who ask later, too', () => {
    const departure = new Departure(graceMs);
    departure.leave();
    vi.advanceTimersByTime(graceMs);
    let calls = 0;
    departure.onAbandoned(() => (calls += 1));
    assert.deepEqual(
      [departure.disconnected.aborted, departure.signal.aborted, calls],
      [true, true, 1],
    );
  });

  it('is nothing to those who have stopped waiting', () => {
    const departure = new Departure(graceMs);
    let calls = 0;
    const forget = departure.onAbandoned(() => (calls += 1));
    forget();
    departure.leave();
    vi.advanceTimersByTime(graceMs);
    assert.equal(calls, 0);
  });

  it('is forgotten once the request is done with, before or after it', () => {
    const before = new Departure(graceMs);
    before.end();
    before.leave();
    const after = new Departure(graceMs);
    after.leave();
    after.end();
    assert.equal(vi.getTimerCount(), 0);
    assert.deepEqual([before.signal.aborted, after.signal.aborted], [false, false]);
  });
});
