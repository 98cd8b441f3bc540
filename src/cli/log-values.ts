import { isTusError } from '../core/errors.js';

/** Longest text that one field may put into a line: a client that sends long paths shall not fill the disk. */
const maxLength = 2048;

/** Everything a terminal or a line-based reader could take for more than text, and what JSON would not show. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** What needs quotes in `key=value`. */
const ambiguous = /[\s"=\p{C}\p{Zl}\p{Zp}]/u;

/** What needs no look at Unicode's tables, which take ten times as long as all the rest of a line: nearly everything. */
const simple = /^[!#-<>-~]+$/;
const simpleInQuotes = /^[ !#-[\]-~]*$/;

/** A value as text, or as JSON that is not a string. */
export function describeValue(value: unknown): string | { readonly json: string } {
  if (typeof value === 'string') return shorten(value);
  if (value instanceof Error) return describeError(value);
  try {
    const json: string | undefined = JSON.stringify(value);
    return json === undefined || json.length > maxLength
      ? shorten(json ?? String(value))
      : { json: escapeUnprintable(json) };
  } catch {
    // A bigint or a circular object; logging never fails.
    return typeof value === 'bigint' ? String(value) : '[unprintable]';
  }
}

/** The error and its causes in one line: `CODE: message <- CODE: message`. */
export function describeError(error: unknown): string {
  return causeChain(error).map(describeOne).join(' <- ');
}

/** The stacks of the error and its causes; undefined where there are none. */
export function describeStack(error: unknown): string | undefined {
  const stacks = causeChain(error).flatMap((link) =>
    link instanceof Error && link.stack !== undefined ? [link.stack] : [],
  );
  return stacks.length > 0 ? stacks.join('\ncaused by ') : undefined;
}

/** In quotes, on one line, with nothing in it that could pass for anything but text. */
export function quote(text: string): string {
  if (simpleInQuotes.test(text)) return `"${text}"`;
  return escapeUnprintable(JSON.stringify(text));
}

/** In quotes only where it would be ambiguous without them. */
export function quoteIfNeeded(text: string): string {
  if (simple.test(text)) return text;
  return text === '' || ambiguous.test(text) ? quote(text) : text;
}

function describeOne(error: unknown): string {
  if (!(error instanceof Error)) return shorten(String(error));
  // Errors of Node begin their messages with their code.
  const code = isTusError(error) ? error.code : error.name;
  return `${code}: ${shorten(error.message)}`;
}

/** Bounded, because an error may be its own cause. */
function causeChain(error: unknown): unknown[] {
  const chain = [error];
  let last = error;
  while (last instanceof Error && last.cause !== undefined && chain.length < 8) {
    last = last.cause;
    chain.push(last);
  }
  return chain;
}

function shorten(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

/** By UTF-16 units, so that it stays valid JSON. */
function escapeUnprintable(text: string): string {
  return text.replace(unprintable, (found) =>
    found
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
