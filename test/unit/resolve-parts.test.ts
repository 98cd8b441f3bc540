import { describe, expect, it } from 'vitest';
import { resolveParts } from '../../dist/http/resolve-parts.js';
import { parseBase } from '../../dist/http/route.js';

function resolve(
  urls: readonly string[],
  { basePath = '/files/', target = '/files/', authorities = ['uploads.example'] as string[] } = {},
): string[] {
  return resolveParts(urls, parseBase(basePath), { target, authorities });
}

describe('resolveParts', () => {
  it.each([
    ['/files/a', 'a'],
    ['a', 'a'],
    ['./a', 'a'],
    ['../files/a', 'a'],
    ['../../../files/a', 'a'],
    ['/files/x/../a', 'a'],
    ['/files/%61', 'a'],
    ['/files/a%2Fb', 'a/b'],
    ['/files/a/b', 'a/b'],
    ['/files/a?token=x', 'a'],
    ['/files/a#x', 'a'],
    ['/files/a+b', 'a+b'],
    ['//uploads.example/files/a', 'a'],
    ['http://uploads.example/files/a', 'a'],
    ['https://uploads.example/files/a', 'a'],
    ['HTTP://Uploads.Example/files/a', 'a'],
    ['http://uploads.example:80/files/a', 'a'],
    ['https://uploads.example:443/files/a', 'a'],
    ['http://uploads.example:443/files/a', 'a'],
  ])('field 40: %s is %s', (url, id) => {
    expect(resolve([url])).toEqual([id]);
  });

  it.each([
    ['http://evil.example/files/a', 'another server'],
    ['//evil.example/files/a', 'another server'],
    ['http://uploads.example:8080/files/a', 'another server'],
    ['http://uploads.example@evil.example/files/a', 'another server'],
    ['http://uploads.example.evil.example/files/a', 'another server'],
    ['https:/files/a', 'another server'],
    ['ftp://uploads.example/files/a', 'no URL'],
    ['file:///files/a', 'no URL'],
    ['javascript:a', 'no URL'],
    ['http://[::1/files/a', 'no URL'],
    ['http://', 'no URL'],
    ['/other/a', 'not the URL of an upload'],
    ['../a', 'not the URL of an upload'],
    ['/files/../../etc/passwd', 'not the URL of an upload'],
    ['/files/%2e%2e/other/a', 'not the URL of an upload'],
    ['/files/..%2F..%2Fetc%2Fpasswd', 'not the URL of an upload'],
    ['/files/%2fetc%2fpasswd', 'not the URL of an upload'],
    ['/files/a%00', 'not the URL of an upload'],
    ['/files/a%5Cb', 'not the URL of an upload'],
    ['/files/c:a', 'not the URL of an upload'],
    ['/files/con', 'not the URL of an upload'],
    ['/files/a.info', 'not the URL of an upload'],
    ['/files/a.lock', 'not the URL of an upload'],
    ['/files/.tuskd', 'not the URL of an upload'],
    ['/files/%', 'not the URL of an upload'],
    ['/files/%zz', 'not the URL of an upload'],
    ['/files/%ff', 'not the URL of an upload'],
    ['/files//a', 'not the URL of an upload'],
    ['/files/a/', 'not the URL of an upload'],
    ['/files/', 'not the URL of an upload'],
    ['/files', 'not the URL of an upload'],
    ['?x', 'not the URL of an upload'],
    ['#', 'not the URL of an upload'],
    ['/Files/a', 'not the URL of an upload'],
  ])('field 40 field 45: %s is refused: it is %s', (url, problem) => {
    expect(() => resolve(['/files/ok', url])).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONCAT', status: 400 }),
    );
    expect(() => resolve(['/files/ok', url])).toThrow(problem);
    expect(() => resolve(['/files/ok', url])).toThrow('part 2 ');
  });

  it('goes by the request URL, with or without a slash at its end', () => {
    expect(resolve(['/files/a', 'files/b'], { target: '/files?x=/y' })).toEqual(['a', 'b']);
    expect(resolve(['/files/a', 'b'], { target: '/files/?x=/y' })).toEqual(['a', 'b']);
  });

  it('field 40: works with the base path /', () => {
    const options = { basePath: '/', target: '/' };
    const urls = ['/a', 'b', 'http://uploads.example/c', '/files/d'];
    expect(resolve(urls, options)).toEqual(['a', 'b', 'c', 'files/d']);
    expect(() => resolve(['http://evil.example/c'], options)).toThrow('another server');
  });

  it('takes every authority that it is told, and no other', () => {
    const authorities = [
      'cdn.example:8443',
      '[::1]:8080',
      '',
      'no authority',
      'public.example:443',
    ];
    const own = [
      'https://cdn.example:8443/files/a',
      'http://[::1]:8080/files/a',
      'http://[0:0:0:0:0:0:0:1]:8080/files/a',
      'https://public.example/files/a',
    ];
    expect(resolve(own, { authorities })).toEqual(['a', 'a', 'a', 'a']);
    for (const url of ['http://uploads.example/files/a', 'https://cdn.example/files/a']) {
      expect(() => resolve([url], { authorities })).toThrow('another server');
    }
  });

  it('takes time in proportion to what it is given', () => {
    const hostile = [
      `/files/${'%2e%2e/'.repeat(140_000)}a`,
      `/files/${'a/../'.repeat(200_000)}../a`,
      `/files/${'%61'.repeat(300_000)}`,
      `http://${'a.'.repeat(400_000)}/files/a`,
      `http://${'@'.repeat(1_000_000)}/files/a`,
    ];
    for (const url of hostile) {
      expect(cpuMs(() => expect(() => resolve([url])).toThrow())).toBeLessThan(500);
    }
    const many = Array<string>(10_000).fill('https://uploads.example/files/%61');
    expect(cpuMs(() => expect(resolve(many)).toHaveLength(10_000))).toBeLessThan(1000);
  });
});

/** Of this process: others of a busy machine do not count. */
function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
