import { describe, expect, it } from 'vitest';
import { isUploadId } from '../../dist/core/upload-id.js';

describe('isUploadId', () => {
  it.each([
    'a',
    '24e533e02ec3bc40c387f1a0e460e216',
    'users/7/photo.jpg',
    "-._~!$&'()*+,;=:@",
    '...',
    'a..b',
    'information',
    'info',
    'a.information',
    'console',
    'com',
    'nul-1',
    'x'.repeat(1024),
  ])('%s', (id) => {
    expect(isUploadId(id)).toBe(true);
  });

  it.each([
    '',
    '.',
    '..',
    '/',
    '/a',
    'a/',
    'a//b',
    'a/./b',
    'a/../b',
    '../a',
    'a\\b',
    'a b',
    'a\0',
    'a\nb',
    'a%2fb',
    'a?b',
    'a#b',
    'słowo',
    'a.info',
    'A.INFO',
    'a.lock',
    'a.stop',
    'a.part',
    'a.info/b',
    '.tuskd',
    '.TUSKD/x',
    'a/.tuskd-x',
    'con',
    'CON',
    'aux.txt',
    'COM1',
    'lpt9.tar.gz',
    'a/nul',
    'C:',
    'c:x',
    'x'.repeat(1025),
  ])('%j is none', (id) => {
    expect(isUploadId(id)).toBe(false);
  });
});
