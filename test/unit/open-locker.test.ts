import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkLocker } from '../../dist/cli/open-locker.js';
import { parseFlags } from '../../dist/cli/parse-flags.js';
import { redisUrl } from '../../dist/cli/redis-locker.js';
import { StartError } from '../../dist/cli/start-error.js';

afterEach(() => vi.unstubAllEnvs());

function urlOf(...args: string[]): string {
  return redisUrl(parseFlags(args));
}

describe('where Redis is', () => {
  it('is said by the flag, then by TUSKD_REDIS_URL, then by REDIS_URL', () => {
    vi.stubEnv('TUSKD_REDIS_URL', '');
    vi.stubEnv('REDIS_URL', '');
    expect(() => urlOf()).toThrow(StartError);
    vi.stubEnv('REDIS_URL', 'redis://third');
    expect(urlOf()).toBe('redis://third');
    vi.stubEnv('TUSKD_REDIS_URL', 'rediss://second');
    expect(urlOf()).toBe('rediss://second');
    expect(urlOf('-redis-url=redis://first')).toBe('redis://first');
  });

  it.each(['pass-word', 'http://:pass-word@host'])(
    'is refused without being repeated: %j',
    (url) => {
      vi.stubEnv('TUSKD_REDIS_URL', url);
      expect(() => urlOf()).toThrow(/^the URL of Redis must be such as redis:\/\/HOST:PORT/);
      expect(() => urlOf()).not.toThrow(/pass-word/);
    },
  );
});

describe('the locker', () => {
  it('in memory does not go with several processes', async () => {
    await checkLocker(parseFlags(['-locker=memory']));
    await checkLocker(parseFlags(['-workers=2']));
    const flags = parseFlags(['-locker=memory', '-workers=2']);
    await expect(checkLocker(flags)).rejects.toThrow(StartError);
  });
});
