import { describe, expect, it } from 'vitest';
import { publicOrigin } from '../../dist/http/origin.js';

type Headers = Readonly<Record<string, string>>;

/** What publicOrigin looks at of a request. */
function request(headers: Headers, host: string | undefined = 'a.example:1080') {
  return { scheme: 'http' as const, host, header: (name: string) => headers[name] };
}

describe('publicOrigin', () => {
  it.each([
    ['a.example', 'http://a.example'],
    ['a.example:80', 'http://a.example'],
    ['a.example:443', 'http://a.example:443'],
    ['[::1]:8080', 'http://[::1]:8080'],
    ['a_b.example', 'http://a_b.example'],
    ['a"b', ''],
    ['a b', ''],
    ['a/b', ''],
    ['a@b', ''],
    ['a:b', ''],
    ['a?b', ''],
    ['a\r\nb', ''],
    ['', ''],
  ])('host %j', (host, origin) => {
    expect(publicOrigin(request({}, host), false)).toBe(origin);
  });

  it('is empty without a host', () => {
    const { scheme, header } = request({});
    expect(publicOrigin({ scheme, header, host: undefined }, true)).toBe('');
  });

  it('believes no proxy unless it is told to', () => {
    const headers = { 'x-forwarded-host': 'b.example', 'x-forwarded-proto': 'https' };
    expect(publicOrigin(request(headers), false)).toBe('http://a.example:1080');
    expect(publicOrigin(request(headers), true)).toBe('https://b.example');
  });

  it.each<[Headers, string]>([
    [{ 'x-forwarded-proto': 'https,http' }, 'https://a.example:1080'],
    [{ 'x-forwarded-proto': ' HTTPS ' }, 'https://a.example:1080'],
    [{ 'x-forwarded-proto': 'ftp' }, 'http://a.example:1080'],
    [{ 'x-forwarded-proto': '' }, 'http://a.example:1080'],
    [{ 'x-forwarded-host': 'b.example, c.example' }, 'http://b.example'],
    [{ 'x-forwarded-host': 'b.example:443', 'x-forwarded-proto': 'https' }, 'https://b.example'],
    [{ 'x-forwarded-host': '"><script>' }, 'http://a.example:1080'],
    [{ 'x-forwarded-host': '' }, 'http://a.example:1080'],
    [{ forwarded: 'for=192.0.2.1;proto=https;host=b.example' }, 'https://b.example'],
    [{ forwarded: 'HOST="b.example:8443";Proto="https"' }, 'https://b.example:8443'],
    [{ forwarded: 'host=b.example, host=c.example' }, 'http://b.example'],
    [{ forwarded: 'host="[2001:db8::1]:80"' }, 'http://[2001:db8::1]'],
    [{ forwarded: 'for=192.0.2.1, proto=https' }, 'http://a.example:1080'],
    [{ forwarded: 'host=evil"><' }, 'http://a.example:1080'],
    [{ forwarded: 'host="evil/path"' }, 'http://a.example:1080'],
    [{ forwarded: 'host=b.example', 'x-forwarded-host': 'c.example' }, 'http://c.example'],
  ])('behind a proxy %j', (headers, origin) => {
    expect(publicOrigin(request(headers), true)).toBe(origin);
  });

  it.each(['a', ' ', ';', '"', 'a=', ','])(
    'a header of a megabyte of %j is looked at once',
    (piece) => {
      const value = piece.repeat(1024 * 1024);
      const headers = { forwarded: value, 'x-forwarded-host': value, 'x-forwarded-proto': value };
      const began = performance.now();
      expect(publicOrigin(request(headers), true)).toContain('http://');
      // Quadratic, it would take half an hour.
      expect(performance.now() - began).toBeLessThan(10_000);
    },
  );
});
