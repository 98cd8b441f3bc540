import { describe, expect, it } from 'vitest';
import { isTusError } from '../../dist/core/errors.js';
import { parseMetadata, serializeMetadata } from '../../dist/protocol/metadata.js';

describe('parseMetadata', () => {
  it.each([
    ['', {}],
    ['a YQ==', { a: 'a' }],
    ['a YQ==,b Yg==', { a: 'a', b: 'b' }],
    ['a YQ==, b Yg==', { a: 'a', b: 'b' }],
    ['k', { k: '' }],
    ['k ', { k: '' }],
    ['k,l ,m bQ==', { k: '', l: '', m: 'm' }],
    ['name c8WCb8WEY2U=', { name: 'słońce' }],
    ['!#$%&\'*+-.^_`|~"=:;/ eA==', { '!#$%&\'*+-.^_`|~"=:;/': 'x' }],
    ['binary /w==', { binary: '\ufffd' }],
  ])('%j', (header, expected) => {
    expect({ ...parseMetadata(header) }).toEqual(expected);
  });

  it('has no prototype: no key means more than another', () => {
    const metadata = parseMetadata('__proto__ eA==,constructor');
    expect(Object.getPrototypeOf(metadata)).toBeNull();
    expect(Object.entries(metadata)).toEqual([
      ['__proto__', 'x'],
      ['constructor', ''],
    ]);
  });

  it.each([
    [',', 1],
    ['a YQ==,', 2],
    [' a YQ==', 1],
    ['a  YQ==', 1],
    ['a YQ== ', 1],
    ['a YQ==, Yg==', 2],
    ['a YQ==,  b Yg==', 2],
    ['a\tYQ==', 1],
    ['ż YQ==', 1],
    ['a YQ', 1],
    ['a YQ=', 1],
    ['a Y', 1],
    ['a YQ==YQ==', 1],
    ['a -_==', 1],
    ['a YQ==\n', 1],
    ['a YQ==,b,a', 3],
    ['__proto__,__proto__', 2],
  ])('%j is wrong at pair %d', (header, pair) => {
    const error = thrownBy(() => parseMetadata(header));
    expect(isTusError(error, 'ERR_INVALID_METADATA')).toBe(true);
    expect(error).toHaveProperty('message', expect.stringContaining(`pair ${pair}:`));
  });
});

describe('serializeMetadata', () => {
  it('writes what parseMetadata reads', () => {
    const metadata = { filename: 'słońce.txt', empty: '', note: 'a,b c=\r\n' };
    expect({ ...parseMetadata(serializeMetadata(metadata)) }).toEqual(metadata);
  });

  it('is empty for none', () => {
    expect(serializeMetadata({})).toBe('');
  });

  it('leaves out keys that no header can carry', () => {
    const metadata = { 'a b': 'x', 'a,b': 'x', '': 'x', słowo: 'x', 'a\r\nb': 'x', good: 'x' };
    expect(serializeMetadata(metadata)).toBe('good eA==');
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
