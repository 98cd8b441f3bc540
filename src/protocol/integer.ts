const canonical = /^(?:0|[1-9]\d{0,15})$/;

/**
 * A non-negative integer in its one canonical form; undefined for anything else: signs, leading zeros, fractions,
 * exponents, lists, and numbers over 2^53 - 1, which would have to be rounded.
 */
export function parseInteger(text: string): number | undefined {
  if (!canonical.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
