/** Bytes of each algorithm's digest, by the algorithms' names in tus 1.0.0; the one to prefer first. */
const digestBytes = {
  sha256: 32,
  sha512: 64,
  sha1: 20,
  crc32c: 4,
  crc32: 4,
  md5: 16,
} as const;

/** An algorithm that bytes in transit are verified with. */
export type ChecksumAlgorithm = keyof typeof digestBytes;

/** All algorithms, the one to prefer first. A runtime may lack some. */
export const checksumAlgorithms: readonly ChecksumAlgorithm[] =
  Object.keys(digestBytes).filter(isChecksumAlgorithm);

/** Whether `name` is exactly the name of an algorithm. */
function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(digestBytes, name);
}

/** What some bytes have to come to. CRCs are four bytes, the most significant first. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** As long as the algorithm's digests are. */
  readonly digest: Uint8Array;
}

/** Bytes of a digest of `algorithm`. */
export function digestLength(algorithm: ChecksumAlgorithm): number {
  return digestBytes[algorithm];
}

/** How the bytes of a request are to be verified, as its protocol has read it off. */
export interface BodyChecksum {
  /** What the body has to come to, where that is known before it. */
  readonly expected?: Checksum | undefined;
  /** The checksum comes behind the body: nothing of that counts before. */
  readonly isAnnounced: boolean;
  /**
   * Reads the checksum off the trailers; undefined where none came. Not there where trailers are not looked at.
   * @throws TusError ERR_INVALID_CHECKSUM
   */
  readonly ofTrailers?: (trailers: Readonly<Record<string, string>>) => Checksum | undefined;
}
