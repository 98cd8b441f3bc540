import { describe, expect, it } from 'vitest';
import { parseInteger } from '../../dist/protocol/integer.js';

describe('parseInteger', () => {
  it.each([
    ['0', 0],
    ['5', 5],
    ['4294967296', 4294967296],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s', (text, value) => {
    expect(parseInteger(text)).toBe(value);
  });

  it.each([
    '',
    ' ',
    ' 5',
    '5\n',
    '00',
    '05',
    '-0',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    '1_000',
    '٥',
    '1, 1',
    '9007199254740992',
    '9999999999999999',
    '18446744073709551616',
  ])('%j is none', (text) => {
    expect(parseInteger(text)).toBeUndefined();
  });
});
