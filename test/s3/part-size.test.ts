import { describe, expect, it } from 'vitest';
import { mayEndWithPart, partBytesAt, type PartPlan } from '../../dist/stores/s3/part-size.js';
import { type S3Profile, s3Profiles } from '../../dist/stores/s3/s3-profile.js';
import { useS3 } from '../services/use-s3.js';
import { append, completeFrom, fileOf, keyOf, MiB, newUpload, openBed } from './s3-bed.js';

const KiB = 1024;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;
const { aws, r2 } = s3Profiles;
const few: S3Profile = { ...aws, maxParts: 1000 };
const wished = 8 * MiB;

function plan(size: number | undefined, profile: S3Profile = aws): PartPlan {
  return { profile, wishedBytes: wished, size };
}

describe('field 20: the bytes of a part', () => {
  it.each([0, 1, aws.minPartBytes - 1, aws.minPartBytes, aws.minPartBytes + 1, wished, GiB])(
    'are what is wished for where that suffices: %s bytes',
    (size) => expect(partBytesAt(plan(size), 0)).toBe(wished),
  );

  it.each([
    [wished * 10_000 - 1, aws],
    [wished * 10_000, aws],
    [wished * 10_000 + 1, aws],
    [5 * TiB, aws],
    [5 * TiB, r2],
    [wished * 1000 + 1, few],
    [4 * TiB, few],
  ])('suffice for %s bytes', (size, profile) => {
    const bytes = partBytesAt(plan(size, profile), 0);
    expect(Math.ceil(size / bytes)).toBeLessThanOrEqual(profile.maxParts);
    expect(bytes).toBeLessThanOrEqual(profile.maxPartBytes);
  });

  it.each([
    [5 * TiB + 1, aws],
    [5 * TiB, few],
  ])('are none that suffice for %s bytes', (size, profile) => {
    expect(() => partBytesAt(plan(size, profile), 0)).toThrow('maximum size exceeded');
  });

  it('are none that suffice where there are parts already that all must equal', () => {
    const of = (size: number) => ({ ...plan(size, r2), equalBytes: wished });
    expect(partBytesAt(of(wished * 10_000), 0)).toBe(wished);
    expect(() => partBytesAt(of(wished * 10_000 + 1), 0)).toThrow('maximum size exceeded');
  });
});

/** What a writer does with chunks of `chunk` bytes: the sizes of all parts. Sent in one piece each, the arithmetic is exact. */
function partsOf(size: number, chunk: number, planAt: (offset: number) => PartPlan): number[] {
  const parts: number[] = [];
  let end = 0;
  for (let received = 0; received < size;) {
    received = Math.min(size, received + chunk);
    for (;;) {
      const current = planAt(received);
      const { minPartBytes, equalParts } = current.profile;
      const bytes = partBytesAt(current, end, parts.length);
      const waiting = received - end;
      const isLast = received === size;
      const mayEnd =
        isLast || (waiting >= minPartBytes && mayEndWithPart(current, received, parts.length + 2));
      if (waiting >= bytes + (equalParts ? 0 : minPartBytes)) parts.push(bytes);
      else if (waiting > 0 && mayEnd) parts.push(waiting);
      else break;
      end += parts.at(-1) ?? 0;
    }
  }
  return parts;
}

describe('field 20: the parts of a whole upload', () => {
  const profiles = [
    ['aws', aws],
    ['r2', r2],
    ['1,000 parts', few],
  ] as const;
  const chunks = [100 * KiB, 5 * MiB, 5 * MiB + 1, 7 * MiB, 9 * MiB, 100 * MiB, GiB];
  const sizes = [20 * MiB, 10 * GiB, 700 * GiB];
  const cases = profiles.flatMap(([name, profile]) =>
    sizes.flatMap((size) =>
      chunks
        .filter((chunk) => size / chunk < 300_000)
        .map((chunk) => ({ name, profile, size, chunk })),
    ),
  );

  it.each(cases)('keep the rules of $name: $size bytes by $chunk', ({ profile, size, chunk }) => {
    check(
      partsOf(size, chunk, () => plan(size, profile)),
      size,
      profile,
    );
  });

  it.each(chunks.slice(1))('keep them while the length is deferred: by %s bytes', (chunk) => {
    for (const size of [50 * GiB, 700 * GiB]) {
      check(
        partsOf(size, chunk, () => plan(undefined)),
        size,
        aws,
      );
    }
    check(
      partsOf(5 * TiB, 50 * chunk, () => plan(undefined)),
      5 * TiB,
      aws,
    );
  });

  it('keep them where the length is declared in the middle', () => {
    const size = 3 * TiB;
    const declared = (offset: number): PartPlan => plan(offset > TiB ? size : undefined);
    check(partsOf(size, 70 * MiB, declared), size, aws);
  });

  function check(parts: readonly number[], size: number, profile: S3Profile): void {
    expect(parts.reduce((sum, bytes) => sum + bytes, 0)).toBe(size);
    expect(parts.length).toBeLessThanOrEqual(profile.maxParts);
    const full = parts.slice(0, -1);
    expect(Math.min(...full, Infinity)).toBeGreaterThanOrEqual(profile.minPartBytes);
    expect(Math.max(...parts)).toBeLessThanOrEqual(profile.maxPartBytes);
    if (profile.equalParts) expect(new Set(full).size).toBeLessThanOrEqual(1);
  }
});

describe('field 20: parts as S3 lists them', () => {
  const s3 = useS3();
  const file = fileOf(23 * MiB);

  it.each([
    ['small chunks', [MiB, 3 * MiB, 6 * MiB, 2 * MiB, 9 * MiB, MiB]],
    ['large ones', [17 * MiB, 5 * MiB]],
  ])('are equal but the last where they must be: %s', async (_, sizes) => {
    const bed = await openBed(s3());
    const store = bed.store({ provider: { ...s3Profiles.versitygw, equalParts: true } });
    const id = await newUpload(store, file.byteLength);
    let offset = 0;
    for (const size of sizes) {
      await append(store, id, offset, file.subarray(offset, (offset += size)));
    }
    const [Key = '', UploadId = ''] = id.split('+');
    const listed = await bed.direct.listParts({ Bucket: bed.bucket, Key, UploadId });
    expect(listed.Parts?.map(({ Size }) => Size)).toEqual([5, 5, 5, 5].map((each) => each * MiB));
    await completeFrom(store, id, file);
    expect((await bed.object(keyOf(id))).equals(file)).toBe(true);
  });

  it('are as large as planned where the first requests bring less', async () => {
    const bed = await openBed(s3());
    const provider = { ...s3Profiles.versitygw, equalParts: true, maxParts: 10 };
    const store = bed.store({ provider });
    const id = await newUpload(store, 90 * MiB);
    await append(store, id, 0, fileOf(6 * MiB));
    await append(store, id, 6 * MiB, fileOf(40 * MiB).subarray(6 * MiB));
    const [Key = '', UploadId = ''] = id.split('+');
    const listed = await bed.direct.listParts({ Bucket: bed.bucket, Key, UploadId });
    expect(listed.Parts?.map(({ Size }) => Size)).toEqual(Array(4).fill(10 * MiB));
  });
});
