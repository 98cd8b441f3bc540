import { describe, expect, it } from 'vitest';
import { parseConcat, serializeConcat } from '../../dist/protocol/concat.js';

describe('parseConcat', () => {
  it('T-136 T-137: partial', () => {
    expect(parseConcat('partial')).toBe('partial');
  });

  it.each([
    ['final;/files/a', ['/files/a']],
    ['final;/files/a b https://c.example/d', ['/files/a', 'b', 'https://c.example/d']],
    ["final;a?b=c;d,e%20f~!$&'()*+[::1]@#", ["a?b=c;d,e%20f~!$&'()*+[::1]@#"]],
  ])('T-119: %s', (header, urls) => {
    expect(parseConcat(header)).toEqual(urls);
    expect(serializeConcat(urls)).toBe(header);
  });

  it.each([
    '',
    'foo',
    'Partial',
    'partial ',
    'partial;',
    'partial;/a',
    'partial, partial',
    'final',
    'final ',
    'Final;/a',
    'final:/a',
    'final;',
    'final; ',
    'final; /a',
    'final;/a ',
    'final;/a  /b',
    'final;/a\t/b',
    'final;/a\u00a0/b',
    'final;/\u00e9',
    'final;"/a"',
    'final;<a>',
    'final;a\\b',
    'final;a|b',
  ])('T-119 T-137 field 40: "%s" is refused', (header) => {
    expect(() => parseConcat(header)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONCAT', status: 400 }),
    );
  });

  it('takes 10,000 parts and no more, in time that grows with the header alone', () => {
    const many = (count: number): string => `final;${Array<string>(count).fill('a').join(' ')}`;
    expect(parseConcat(many(10_000))).toHaveLength(10_000);
    const began = performance.now();
    expect(() => parseConcat(many(10_001))).toThrow('more than 10000 parts');
    expect(() => parseConcat(many(500_000))).toThrow('more than 10000 parts');
    expect(() => parseConcat(`final;${'a'.repeat(1_000_000)}\\`)).toThrow('no URL');
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
