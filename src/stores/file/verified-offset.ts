/**
 * What the store keeps in a record beside what everybody knows: where the bytes that count end. It is there from the
 * first provisional chunk on, which is written behind it.
 */
interface OwnRecord {
  readonly verifiedOffset: number;
}

export function ownRecord(verifiedOffset: number | undefined): OwnRecord | undefined {
  return verifiedOffset === undefined ? undefined : { verifiedOffset };
}

/** What {@link ownRecord} says, as it was read; undefined where it is not there. */
export function verifiedOffsetOf(own: unknown): number | undefined {
  return typeof own === 'object' &&
    own !== null &&
    'verifiedOffset' in own &&
    typeof own.verifiedOffset === 'number'
    ? own.verifiedOffset
    : undefined;
}
