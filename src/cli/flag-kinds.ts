import { isToken } from '../protocol/token.js';

/** How the text of a flag's value is read. */
export interface FlagKind<Value> {
  /** What stands for the value in the help; undefined where the flag needs none. */
  readonly placeholder: string | undefined;
  /** @throws FlagValueError which says what is wrong with `text` */
  parse(text: string): Value;
}

/** Why a value is refused, as the end of a sentence. */
export class FlagValueError extends Error {
  override readonly name = 'FlagValueError';
}

/** Any text, the empty one too. */
export const text: FlagKind<string> = { placeholder: 'string', parse: (value) => value };

/** The name of a file or folder. */
export const path: FlagKind<string> = {
  placeholder: 'path',
  parse(value) {
    if (value === '') throw new FlagValueError('must not be empty');
    return value;
  },
};

/** The path of a URL. */
export const urlPath: FlagKind<string> = {
  placeholder: 'path',
  parse(value) {
    if (!/^\/[^\s?#]*$/.test(value)) throw new FlagValueError('must be a path that begins with /');
    return value;
  },
};

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

/** What Go's `strconv.ParseBool` takes. The flag alone means true. */
export const boolean: FlagKind<boolean> = {
  placeholder: undefined,
  parse(value) {
    const found = booleans.get(value);
    if (found === undefined) throw new FlagValueError('must be true or false');
    return found;
  },
};

/** Decimal, or marked as another base; single underscores between digits: what Go's `ParseInt(text, 0, 64)` takes. */
const integerPattern =
  /^([+-]?)(?:0[xX](?:_?[\da-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|0|[1-9](?:_?\d)*)$/;

/** A whole number from `min` to `max`. */
export function integer({ min, max }: { min: number; max: number }): FlagKind<number> {
  return {
    placeholder: 'int',
    parse(value) {
      const match = integerPattern.exec(value);
      if (!match) throw new FlagValueError('must be a whole number');
      const [, sign = ''] = match;
      const digits = value.slice(sign.length).replaceAll('_', '');
      // Go reads a leading zero as octal; JavaScript does not.
      const magnitude = Number(digits.replace(/^0(?=\d)/, '0o'));
      const number = sign === '-' ? -magnitude : magnitude;
      if (number < min || number > max) throw new FlagValueError(`must be from ${min} to ${max}`);
      return number;
    },
  };
}

/** Permissions as `chmod` takes them: `0775`, `775` or `0o775`. */
export const permissions: FlagKind<number> = {
  placeholder: 'octal',
  parse(value) {
    if (!/^(?:0o)?0*[0-7]{1,4}$/.test(value)) {
      throw new FlagValueError('must be octal permissions such as 0775');
    }
    return Number.parseInt(value.replace('0o', ''), 8);
  },
};

/** Words with commas between them, which may stand in a header as names. */
export const names: FlagKind<readonly string[]> = {
  placeholder: 'names',
  parse(value) {
    const words = value.split(',').map((word) => word.trim());
    const given = words.filter((word) => word !== '');
    const wrong = given.find((word) => !isToken(word));
    if (wrong !== undefined)
      throw new FlagValueError(`has ${JSON.stringify(wrong)}, which is no name`);
    return given;
  },
};

/**
 * A regular expression, as Go writes it. Nearly all that Go has means the same in JavaScript's Unicode mode; what does
 * not is an error there, and told. Go allows a backslash before any punctuation, and flags at the beginning.
 */
export const pattern: FlagKind<RegExp> = {
  placeholder: 'regexp',
  parse(value) {
    const [prefix = '', flags = ''] = /^\(\?([ims]+)\)/.exec(value) ?? [];
    const source = value
      .slice(prefix.length)
      .replaceAll(
        /\\([!-/:-@[-`{-~])/g,
        (_, char: string) => `\\x${char.charCodeAt(0).toString(16)}`,
      );
    try {
      return new RegExp(source, `u${[...new Set(flags)].join('')}`);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new FlagValueError('must be a regular expression');
    }
  },
};

/** One of a few words. */
export function choice<const Word extends string>(...words: readonly Word[]): FlagKind<Word> {
  return {
    placeholder: words.join('|'),
    parse(value) {
      const found = words.find((word) => word === value);
      if (found === undefined) throw new FlagValueError(`must be one of ${words.join(', ')}`);
      return found;
    },
  };
}
