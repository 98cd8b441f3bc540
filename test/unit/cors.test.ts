import { createHandler, type CorsOptions, compose, MemoryLocker, MemoryStore } from 'tuskd';
import { describe, expect, it } from 'vitest';

function make(cors: CorsOptions): unknown {
  const backend = compose({ core: new MemoryStore(), locker: new MemoryLocker() });
  return createHandler({ backend, cors });
}

describe('options of CORS that cannot be meant', () => {
  it.each([
    '*',
    'app.example',
    'https://app.example/',
    'https://app.example/files',
    'https://App.example',
    'https://a.example,https://b.example',
    'https://a.example https://b.example',
    'https://',
    '',
  ])('the origin %j, which no browser sends', (origin) => {
    expect(() => make({ allowedOrigins: ['https://app.example', origin] })).toThrow(
      `${JSON.stringify(origin)} is no origin`,
    );
  });

  it.each(['http://localhost', 'https://[::1]:8443', 'capacitor://localhost', 'null'])(
    'but not %j',
    (origin) => {
      expect(() => make({ allowedOrigins: [origin] })).not.toThrow();
    },
  );

  it('field 47: credentials for every page on the web', () => {
    expect(() => make({ allowCredentials: true })).toThrow(TypeError);
    expect(() => make({ allowCredentials: true, allowedOrigins: /./ })).not.toThrow();
  });

  it.each(['allowMethods', 'allowHeaders', 'exposeHeaders'])('names in %s that are none', (key) => {
    for (const name of ['', 'a b', 'a,b', 'a\r\nSet-Cookie: x', 'ä', 'a:']) {
      expect(() => make({ [key]: [name] })).toThrow('is no name for CORS');
    }
  });
});
