/** Origins as an operator names them: in a list, by a pattern, or by a function. */
export type AllowedOrigins =
  | readonly string[]
  | RegExp
  | ((origin: string) => boolean | Promise<boolean>);

/** As browsers send it: without a path, and without a slash at its end. Pages without an origin send `null`. */
const originForm = /^(?:[a-z][a-z\d+.-]*:\/\/[^\s/?#,A-Z]+|null)$/;

/**
 * Longer than any origin: a host name has 253 characters at most. A pattern that takes quadratic time is not given a
 * header of a megabyte to take it for.
 */
const longestOrigin = 1000;

/**
 * What says whether an origin is allowed.
 * @throws TypeError for an entry of a list that no browser would ever send
 */
export function originCheck(
  allowed: AllowedOrigins,
): (origin: string) => boolean | Promise<boolean> {
  if (typeof allowed === 'function') return allowed;
  if (allowed instanceof RegExp) {
    // With these flags, a pattern remembers where it has stopped, and fails every other time.
    const pattern = new RegExp(allowed.source, allowed.flags.replaceAll(/[gy]/g, ''));
    return (origin) => origin.length <= longestOrigin && pattern.test(origin);
  }
  for (const origin of allowed) {
    if (!originForm.test(origin)) {
      throw new TypeError(
        `${JSON.stringify(origin)} is no origin: it is such as https://app.example or http://localhost:8080`,
      );
    }
  }
  const origins = new Set(allowed);
  return (origin) => origins.has(origin);
}
