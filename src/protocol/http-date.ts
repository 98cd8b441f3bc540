const monthNames = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
const months = monthNames.split('|');
const time = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;
/** Today's form, and the two obsolete ones that "a recipient MUST accept" (RFC 9110, 5.6.7). */
const forms = [
  String.raw`[A-Z][a-z]{2}, (?<day>\d\d) (?<month>${monthNames}) (?<year>\d{4}) ${time} GMT`,
  String.raw`[A-Z][a-z]{5,8}, (?<day>\d\d)-(?<month>${monthNames})-(?<year>\d\d) ${time} GMT`,
  String.raw`[A-Z][a-z]{2} (?<month>${monthNames}) (?<day>[ \d]\d) ${time} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/**
 * Milliseconds since 1970 of a date in a header; undefined for what is none. `Date.parse` takes more than HTTP does, and
 * the oldest form for local time.
 */
export function parseHttpDate(text: string, now = Date.now()): number | undefined {
  for (const form of forms) {
    const { groups } = form.exec(text) ?? {};
    if (groups === undefined) continue;
    const month = months.indexOf(groups['month'] ?? '');
    const [day = 0, hour = 0, minute = 0, second = 0] = ['day', 'hour', 'minute', 'second'].map(
      (name) => Number(groups[name]),
    );
    const date = new Date(0);
    date.setUTCFullYear(wholeYear(groups['year'] ?? '', now), month, day);
    // There is no 31 June; the second 60 is a leap second.
    if (date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 60) return undefined;
    return date.setUTCHours(hour, minute, second);
  }
  return undefined;
}

/** "More than 50 years in the future" is "the most recent year in the past that had the same last two digits". */
function wholeYear(digits: string, now: number): number {
  if (digits.length > 2) return Number(digits);
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}
