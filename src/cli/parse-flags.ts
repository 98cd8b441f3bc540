import { boolean, FlagValueError } from './flag-kinds.js';
import { type Flag, type FlagName, flags, type FlagValues } from './flags.js';

/** A command line that cannot be understood; the message is one line. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** What a command line says. */
export class ParsedFlags {
  readonly #given: ReadonlyMap<FlagName, string>;

  constructor(given: ReadonlyMap<FlagName, string>) {
    this.#given = given;
  }

  /** The flag's value, or its default. */
  get<Name extends FlagName>(name: Name): FlagValues[Name] {
    const { kind, default: standard } = flags[name];
    return kind.parse(this.#given.get(name) ?? standard);
  }
}

/**
 * Reads a command line (without the command) the way Go's `flag` package does: `-x v`, `-x=v`, one dash or two, a
 * boolean alone or with `=`, the last one counts, `--` ends them. Unlike tusd, arguments that are no flags are
 * refused: they are a forgotten dash or an unquoted space.
 *
 * @throws FlagError
 */
export function parseFlags(args: readonly string[]): ParsedFlags {
  const given = new Map<FlagName, string>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined && arg !== '--'; arg = rest.shift()) {
    const { typed, attached } = splitArgument(arg);
    const { name, flag, translate } = findFlag(typed);
    // A boolean never takes the next argument: `-verbose false` would be ambiguous.
    const value = attached ?? (flag.kind === boolean ? 'true' : rest.shift());
    if (value === undefined) throw new FlagError(`flag needs an argument: -${typed}`);
    given.set(name, checkValue(flag, typed, value, translate));
    // As in Go, what comes after it does not matter.
    if (name === 'help') return new ParsedFlags(given);
  }
  const [surplus] = rest;
  if (surplus !== undefined) throw unexpected(surplus);
  return new ParsedFlags(given);
}

function splitArgument(arg: string): { typed: string; attached: string | undefined } {
  // A lone dash is no flag to Go either.
  if (!/^-./s.test(arg)) throw unexpected(arg);
  const [, typed, attached] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
  if (typed === undefined) throw new FlagError(`bad flag syntax: ${JSON.stringify(arg)}`);
  return { typed, attached };
}

interface Found {
  readonly name: FlagName;
  readonly flag: Flag<unknown>;
  readonly translate?: ((value: string) => string) | undefined;
}

function findFlag(typed: string): Found {
  if (isFlagName(typed)) return { name: typed, flag: flags[typed] };
  for (const name of Object.keys(flags).filter(isFlagName)) {
    const flag: Flag<unknown> = flags[name];
    const alias = flag.aliases?.find((candidate) => candidate.name === typed);
    if (alias) return { name, flag, translate: alias.translate };
  }
  throw new FlagError(`flag provided but not defined: -${printable(typed)}`);
}

function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(flags, name);
}

/** The value in the words of today, once it is known to be good. */
function checkValue(
  { kind }: Flag<unknown>,
  typed: string,
  value: string,
  translate = (given: string): string => given,
): string {
  const translated = translate(value);
  try {
    kind.parse(translated);
  } catch (error) {
    if (!(error instanceof FlagValueError)) throw error;
    throw new FlagError(
      `invalid value ${JSON.stringify(value)} for flag -${typed}: ${error.message}`,
    );
  }
  return translated;
}

function unexpected(arg: string): FlagError {
  return new FlagError(`unexpected argument ${JSON.stringify(arg)}`);
}

/** One line, whatever was typed. */
function printable(typed: string): string {
  return JSON.stringify(typed).slice(1, -1);
}
