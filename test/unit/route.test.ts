import { describe, expect, it } from 'vitest';
import { matchRoute, parseBase } from '../../dist/http/route.js';

describe('parseBase', () => {
  it.each([
    ['/files/', '/files/', undefined],
    ['files', '/files/', undefined],
    ['/', '/', undefined],
    ['', '/', undefined],
    ['//a//b', '/a/b/', undefined],
    ['https://cdn.example/files', '/files/', 'https://cdn.example'],
    ['HTTP://cdn.example:8080', '/', 'http://cdn.example:8080'],
  ])('%j', (basePath, path, origin) => {
    expect(parseBase(basePath)).toEqual({ path, origin });
  });

  it('refuses a URL that is none', () => {
    expect(() => parseBase('https://:-1')).toThrow(TypeError);
  });
});

describe('matchRoute', () => {
  const base = parseBase('/files/');

  it.each(['/files', '/files/', '/files?x', '/files/?x=/a', '/files/#x'])(
    '%j is where uploads are created',
    (target) => {
      expect(matchRoute(target, base)).toEqual({ id: undefined });
    },
  );

  it.each([
    ['/files/a', 'a'],
    ['/files/a?b/c', 'a'],
    ['/files/a/b', 'a/b'],
    ['/files/a%2Fb', 'a/b'],
    ['/files/%61', 'a'],
    ['/files/a%3Bb', 'a;b'],
    ['/files/files', 'files'],
  ])('%j is upload %s', (target, id) => {
    expect(matchRoute(target, base)).toEqual({ id });
  });

  it.each([
    '/files//',
    '/files/a/',
    '/files/%',
    '/files/%ff',
    '/files/%00',
    '/files/a%252Fb',
    '/files/..',
    '/files/%2e%2e/a',
    '/files/a.info',
  ])('%j can be no upload', (target) => {
    expect(matchRoute(target, base)).toBe('invalid');
  });

  it.each(['', '*', '/', '/file', '/filesa', '/FILES/a', '/a/files/b', 'files/a'])(
    '%j is not ours',
    (target) => {
      expect(matchRoute(target, base)).toBeUndefined();
    },
  );
});
