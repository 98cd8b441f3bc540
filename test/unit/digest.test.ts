import { randomBytes, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { availableAlgorithms, createDigest } from '../../dist/uploads/checksum/digest.js';
import { tableCrc } from '../../dist/uploads/checksum/table-crc.js';
import { algorithms, digestOf } from '../protocol/checksums.js';

const crc32c = tableCrc(0x82f63b78);

describe('digests', () => {
  it('are there, all of them', () => {
    expect(availableAlgorithms()).toEqual(algorithms);
  });

  it.each(algorithms)('of %s do not depend on how the bytes are split', (algorithm) => {
    for (let round = 0; round < 100; round++) {
      const content = randomBytes(randomInt(3000));
      const digest = createDigest(algorithm);
      for (let start = 0; start < content.length;) {
        const end = start + randomInt(1, 200);
        digest.update(content.subarray(start, end));
        start = end;
      }
      expect(Buffer.from(digest.digest())).toEqual(digestOf(algorithm, content));
    }
  });
});

describe('a CRC by tables', () => {
  it.each([
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 rising', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
    ['32 falling', Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c],
    [
      'an iSCSI command',
      Buffer.from(
        '01c00000' +
          '0000000000000000' +
          '00000000' +
          '14000000' +
          '0000040000000014' +
          '0000001828000000' +
          '0000000002000000' +
          '00000000',
        'hex',
      ),
      0xd9963a56,
    ],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
  ])('is right for %s (RFC 3720)', (_, bytes, expected) => {
    expect(crc32c(bytes, 0)).toBe(expected);
  });

  it('is right for every alignment and length', () => {
    const content = randomBytes(120);
    for (let start = 0; start < 20; start++) {
      for (let end = start; end < content.length; end++) {
        const bytes = content.subarray(start, end);
        const value = Buffer.alloc(4);
        value.writeUInt32BE(crc32c(bytes, 0));
        expect(value).toEqual(digestOf('crc32c', bytes));
      }
    }
  });

  it('is what zlib has, with its polynomial', () => {
    const own = tableCrc(0xedb88320);
    const content = randomBytes(100_003);
    expect(own(content, 0)).toBe(crc32(content));
    expect(own(content.subarray(7), own(content.subarray(0, 7), 0))).toBe(crc32(content));
  });
});
