import { describe, expect, it } from 'vitest';
import { requestedRange } from '../../dist/protocol/byte-range.js';

const whole = { length: 10, isWhole: true };
const prefix = { length: 10, isWhole: false };

describe('requestedRange', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 1 }],
    ['bytes=2-4', { start: 2, end: 5 }],
    ['bytes=2-', { start: 2, end: 10 }],
    ['bytes=2-10', { start: 2, end: 10 }],
    ['bytes=-3', { start: 7, end: 10 }],
    ['bytes=-11', { start: 0, end: 10 }],
    ['bytes=00002-0004', { start: 2, end: 5 }],
    ['bytes=\t2-4 ', { start: 2, end: 5 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
    ['bytes=4-2', undefined],
    ['bytes=2 - 4', undefined],
    ['bytes=2-4,6-8', undefined],
    ['bytes=--3', undefined],
    ['lines=2-4', undefined],
  ])('%s', (header, expected) => {
    expect(requestedRange(header, whole)).toEqual(expected);
  });

  it('knows the first bytes of a prefix, and not the last ones', () => {
    expect(requestedRange('bytes=2-', prefix)).toEqual({ start: 2, end: 10 });
    expect(requestedRange('bytes=10-', prefix)).toBe('unsatisfiable');
    expect(requestedRange('bytes=-3', prefix)).toBeUndefined();
  });

  it('is exact as far as numbers are', () => {
    const length = Number.MAX_SAFE_INTEGER;
    const last = length - 1;
    const header = `bytes=${last}-${last}`;
    expect(requestedRange(header, { length, isWhole: true })).toEqual({ start: last, end: length });
  });

  it('takes no longer for a longer header than it has to', () => {
    const began = performance.now();
    expect(requestedRange(`bytes=${'1'.repeat(1_000_000)}x`, whole)).toBeUndefined();
    expect(requestedRange(`bytes=${' '.repeat(1_000_000)}x`, whole)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
