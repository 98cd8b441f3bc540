/** What RFC 3986 calls pchar, percent-encoding aside: an ID is validated after it was decoded, once. */
const segmentPattern = /^[\w\-.~!$&'()*+,;=:@]+$/;
/** Endings of the files that stores and lockers keep beside an upload's data. */
const reservedSuffix = /\.(?:info|lock|stop|part)$/i;
/** Folders of ours in an upload directory. */
const reservedPrefix = /^\.tuskd/i;
/** Names that Windows gives to devices, whatever the extension; and what it reads as a drive. */
const windowsName = /^(?:(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?|[a-z]:.*)$/i;
const maxLength = 1024;

/**
 * Whether `id` may name an upload. The one rule for every store, applied where IDs come in (URLs, hooks), so that
 * nothing behind it needs to distrust an ID: segments of pchar joined by single slashes, none of them `.` or `..`,
 * none of them a name that a store, a locker or Windows gives a meaning of its own.
 */
export function isUploadId(id: string): boolean {
  return id.length > 0 && id.length <= maxLength && id.split('/').every(isSegment);
}

function isSegment(segment: string): boolean {
  return (
    segmentPattern.test(segment) &&
    segment !== '.' &&
    segment !== '..' &&
    !reservedSuffix.test(segment) &&
    !reservedPrefix.test(segment) &&
    !windowsName.test(segment)
  );
}

/** An ID that nobody has and nobody can guess: 122 random bits as 32 hex digits, the form of tusd's IDs. */
export function newUploadId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}
