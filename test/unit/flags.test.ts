import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { duration } from '../../dist/cli/duration.js';
import { integer, names, pattern, permissions } from '../../dist/cli/flag-kinds.js';
import { flagsDoc, helpText } from '../../dist/cli/flags-help.js';
import { flags } from '../../dist/cli/flags.js';
import { FlagError, parseFlags } from '../../dist/cli/parse-flags.js';

function refusal(...args: string[]): string {
  try {
    parseFlags(args);
  } catch (error) {
    if (error instanceof FlagError) return error.message;
    throw error;
  }
  throw new Error(`accepted: ${args.join(' ')}`);
}

describe('the command line', () => {
  it.each([[['-port', '81']], [['--port', '81']], [['-port=81']], [['--port=81']]])(
    'takes %j',
    (args) => {
      expect(parseFlags(args).get('port')).toBe(81);
    },
  );

  it('has a good default for every flag', () => {
    for (const [name, { kind, default: standard }] of Object.entries(flags)) {
      expect(() => kind.parse(standard), name).not.toThrow();
    }
    const parsed = parseFlags([]);
    expect(parsed.get('host')).toBe('0.0.0.0');
    expect(parsed.get('network-timeout')).toBe(60_000);
    expect(parsed.get('dir-perms')).toBe(0o775);
    expect(parsed.get('verbose')).toBe(true);
    expect(parsed.get('fsync')).toBe('off');
  });

  it('lets the last of several count', () => {
    expect(parseFlags(['-port=1', '-port=2']).get('port')).toBe(2);
  });

  it('keeps what comes after the first equals sign', () => {
    expect(parseFlags(['-upload-dir=a=b']).get('upload-dir')).toBe('a=b');
  });

  it('takes an empty value and one that looks like a flag', () => {
    expect(parseFlags(['-host=']).get('host')).toBe('');
    expect(parseFlags(['-host', '-port']).get('host')).toBe('-port');
  });

  it.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('takes %s for true', (word) => {
    expect(parseFlags([`-disable-cors=${word}`]).get('disable-cors')).toBe(true);
  });

  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('takes %s for false', (word) => {
    expect(parseFlags([`-verbose=${word}`]).get('verbose')).toBe(false);
  });

  it('sets a boolean that stands alone, and never feeds it the next argument', () => {
    expect(parseFlags(['-disable-cors', '-port=1']).get('disable-cors')).toBe(true);
    expect(refusal('-verbose', 'false')).toBe('unexpected argument "false"');
  });

  it('knows the older names', () => {
    expect(parseFlags(['-dir', 'x']).get('upload-dir')).toBe('x');
    expect(parseFlags(['-timeout', '6000']).get('network-timeout')).toBe(6000);
    expect(refusal('-timeout=6s')).toContain('invalid value "6s" for flag -timeout: ');
  });

  it('ends at a double dash', () => {
    expect(parseFlags(['-port=1', '--']).get('port')).toBe(1);
    expect(refusal('--', '-port=1')).toBe('unexpected argument "-port=1"');
  });

  it.each(['-h', '-help', '--help'])('does not look at what follows %s', (arg) => {
    expect(parseFlags([arg, '-nonsense']).get('help')).toBe(true);
  });

  it.each([
    [['-nonsense'], 'flag provided but not defined: -nonsense'],
    [['-toString'], 'flag provided but not defined: -toString'],
    [['-a\nb'], String.raw`flag provided but not defined: -a\nb`],
    [['-port'], 'flag needs an argument: -port'],
    [['-port', 'x\ny'], String.raw`invalid value "x\ny" for flag -port: must be a whole number`],
    [['-port=65536'], 'invalid value "65536" for flag -port: must be from 0 to 65535'],
    [['-max-size=-1'], /must be from 0 to 9007199254740991$/],
    [['-max-size=9223372036854775807'], /must be from 0 to 9007199254740991$/],
    [['-verbose=yes'], 'invalid value "yes" for flag -verbose: must be true or false'],
    [['-network-timeout=60'], /must be a duration such as 60s or 1m30s$/],
    [['-network-timeout=0'], /must be at least 1ms$/],
    [['-log-format=xml'], /must be one of text, json$/],
    [['-base-path=files'], /must be a path that begins with \/$/],
    [['-upload-dir='], /must not be empty$/],
    [['-s3-provider=azure'], /must be one of auto, aws, r2, minio, versitygw, seaweedfs, generic$/],
    [['-s3-max-buffered-parts=65'], /must be from 0 to 64$/],
    [['-s3-redirect-downloads=169h'], /must be at most 168h$/],
    [['-s3-object-key={name}'], /\{name\} is none of /],
    [['-cors-allow-origin=['], /must be a regular expression$/],
    [['-cors-allow-headers=X-A,b c'], /has "b c", which is no name$/],
    [['-cors-max-age=long'], /must be a whole number$/],
    [['---port'], 'bad flag syntax: "---port"'],
    [['-=1'], 'bad flag syntax: "-=1"'],
    [['-'], 'unexpected argument "-"'],
    [['data'], 'unexpected argument "data"'],
    [[''], 'unexpected argument ""'],
  ])('refuses %j in one line', (args, message) => {
    expect(refusal(...args)).toMatch(message);
    expect(refusal(...args)).not.toContain('\n');
  });
});

describe('values in the notation of Go', () => {
  // Expected: what time.ParseDuration makes of them.
  it.each([
    ['0', 0],
    ['+5s', 5000],
    ['1.5h', 5_400_000],
    ['1h30m', 5_400_000],
    ['1m1m', 120_000],
    ['.5s', 500],
    ['1.s', 1000],
    ['500ms', 500],
    ['1.1s', 1100],
    ['2000us', 2],
    ['2000µs', 2],
    ['2000μs', 2],
    ['100ns', 1],
    ['-0s', 0],
  ])('reads %s as a duration', (text, milliseconds) => {
    expect(duration().parse(text)).toBe(milliseconds);
  });

  it.each(['', '1', 's', '.s', '-', ' 1s', '1s ', '1e3s', '0x5s', '1.2.3s', '1d', '-1s', '9999h'])(
    'refuses %j as a duration',
    (text) => {
      expect(() => duration().parse(text)).toThrow(/^must /);
    },
  );

  // Expected: what strconv.ParseInt(text, 0, 64) makes of them.
  it.each([
    ['0', 0],
    ['-5', -5],
    ['+5', 5],
    ['0x10', 16],
    ['0X1f', 31],
    ['010', 8],
    ['0o17', 15],
    ['0b11', 3],
    ['1_000', 1000],
    ['0x_ff', 255],
    ['0_7', 7],
  ])('reads %s as an integer', (text, number) => {
    expect(integer({ min: -10, max: 2000 }).parse(text)).toBe(number);
  });

  it.each(['', '1.5', '1e3', '08', '1__0', '_1', '1_', '0x', 'Infinity', ' 1', '--1'])(
    'refuses %j as an integer',
    (text) => {
      expect(() => integer({ min: 0, max: 2000 }).parse(text)).toThrow('must be a whole number');
    },
  );

  it.each([
    ['0775', 0o775],
    ['775', 0o775],
    ['0o664', 0o664],
    ['2775', 0o2775],
    ['02775', 0o2775],
  ])('reads %s as permissions', (text, mode) => {
    expect(permissions.parse(text)).toBe(mode);
  });

  it.each(['', '0798', '77777', '-1', 'rwx'])('refuses %j as permissions', (text) => {
    expect(() => permissions.parse(text)).toThrow(/octal permissions/);
  });
});

describe('regular expressions of Go', () => {
  // Expected: what regexp.MatchString says of them.
  it.each([
    ['.*', 'https://a.example', true],
    ['', 'https://a.example', true],
    ['example', 'https://a.example', true],
    ['^https://a\\.example$', 'https://a.example', true],
    ['^https://a\\.example$', 'https://a-example', false],
    ['^https:\\/\\/a', 'https://a.example', true],
    ['^https\\://my\\-app', 'https://my-app.example', true],
    ['^[a\\-z]$', 'b', false],
    ['^[a\\-z]$', '-', true],
    ['^a\\\\b$', 'a\\b', true],
    ['^https?://(a|b)[.]example(:\\d+)?$', 'http://b.example:80', true],
    ['(?i)^HTTPS://A', 'https://a.example', true],
    ['(?P<sub>x)|^https', 'https://a.example', undefined],
    ['\\Ahttps', 'https://a.example', undefined],
    ['example\\z', 'https://a.example', undefined],
    ['[[:alpha:]]', 'https://a.example', undefined],
    ['a(?i)b', 'ab', undefined],
    ['a{,5}', 'a', undefined],
  ])('%j on %j: %s; or it is refused, never taken for another', (text, origin, expected) => {
    if (expected === undefined) expect(() => pattern.parse(text)).toThrow('a regular expression');
    else expect(pattern.parse(text).test(origin)).toBe(expected);
  });
});

describe('lists of names', () => {
  it.each([
    ['', []],
    ['X-A', ['X-A']],
    ['X-A, X-B ,,X-C,', ['X-A', 'X-B', 'X-C']],
  ])('reads %j', (text, expected) => {
    expect(names.parse(text)).toEqual(expected);
  });
});

describe('what is written about the flags', () => {
  it('has every flag in the help', () => {
    for (const name of Object.keys(flags)) expect(helpText()).toMatch(`\n  -${name}`);
  });

  it('has docs/flags.md as the table makes it', async () => {
    const page = await readFile(new URL('../../docs/flags.md', import.meta.url), 'utf8');
    expect(page, 'run: npm run build && node dist/cli/flags-doc.js > docs/flags.md').toBe(
      flagsDoc(),
    );
  });
});
