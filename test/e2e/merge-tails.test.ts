import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { mergeTails } from '../../dist/stores/s3/merge-tails.js';
import { S3Bucket } from '../../dist/stores/s3/s3-bucket.js';
import { s3Profiles } from '../../dist/stores/s3/s3-profile.js';
import { S3Store } from '../../dist/stores/s3/s3-store.js';
import { whyNo } from '../services/programs.js';
import { skipIfMissing } from '../services/skip-if-missing.js';
import { startTusd } from '../services/start-tusd.js';
import { useS3 } from '../services/use-s3.js';
import { runCommand, useCommands } from './command-helper.js';
import {
  append,
  create,
  idOf,
  MiB,
  objectOf,
  offsetOf,
  type S3Bench,
  s3Bench,
  someBytes,
} from './s3-bench.js';

const start = useCommands();
const s3 = useS3();

/** Starts the command, has an upload receive chunks of the given sizes, and stops it. */
async function uploadChunks(
  bench: S3Bench,
  bytes: Uint8Array,
  sizes: readonly number[],
): Promise<string> {
  const command = await start({ args: bench.flags, env: bench.env });
  const url = await create(command.url, bytes.length);
  await appendChunks(url, bytes, 0, sizes);
  expect(await command.stop()).toBe(0);
  return url;
}

async function appendChunks(
  url: string,
  bytes: Uint8Array,
  start: number,
  sizes: readonly number[],
): Promise<number> {
  let offset = start;
  for (const size of sizes) {
    await append(url, offset, bytes.subarray(offset, offset + size));
    offset += size;
  }
  return offset;
}

function merge(bench: S3Bench, ...flags: string[]): ReturnType<typeof runCommand> {
  return runCommand(['merge-tails', ...flags, ...bench.flags], bench.env);
}

describe('tuskd merge-tails', () => {
  it('makes one object of the pieces of a tail, where tusd looks for it', async () => {
    const bench = await s3Bench(s3());
    const bytes = someBytes(30 * MiB);
    const url = await uploadChunks(bench, bytes, [14 * MiB, 1000, 2000, 3000]);
    const end = 14 * MiB + 6000;
    const before = await bench.keys();
    expect(before).toHaveLength(4);

    const dry = await merge(bench, '-dry-run');
    expect(dry.output).toBe(
      `${idOf(url)}: would merge 6000 bytes, at ${end} bytes\n1 would be merged, 0 need nothing, 0 cannot go on with tusd.\n`,
    );
    expect(dry.code).toBe(0);
    expect(await bench.keys()).toEqual(before);

    const done = await merge(bench);
    expect(done.output).toContain(`${idOf(url)}: merged 6000 bytes, at ${end} bytes\n`);
    expect(done.code).toBe(0);
    expect(await bench.keys()).toEqual([`${objectOf(url)}.info`, `${objectOf(url)}.part`]);
    const tail = await bench.content(`${objectOf(url)}.part`);
    expect(tail.equals(bytes.subarray(14 * MiB, end))).toBe(true);
    expect(await bench.partNumbers(idOf(url))).toEqual([1, 2]);

    const again = await merge(bench);
    expect(again.output).toContain(`${idOf(url)}: nothing to do, at ${end} bytes\n`);
    expect(again.code).toBe(0);
  });

  it('leaves finished uploads alone', async () => {
    const bench = await s3Bench(s3());
    const bytes = someBytes(10);
    await uploadChunks(bench, bytes, [4, 6]);
    const before = await bench.keys();
    const { output, code } = await merge(bench);
    expect(output).toBe('0 merged, 0 need nothing, 0 cannot go on with tusd.\n');
    expect(code).toBe(0);
    expect(await bench.keys()).toEqual(before);
  });

  it('names the uploads that tusd cannot go on with, and merges the others', async () => {
    const bench = await s3Bench(s3());
    const gaps = await uploadChunks(bench, someBytes(30 * MiB), [6 * MiB, 10]);
    const surplus = await uploadChunks(bench, someBytes(30 * MiB), [6 * MiB, 10]);
    const fine = await uploadChunks(bench, someBytes(100), [10, 10]);
    // As a writer leaves them that was killed when the part before was not stored yet.
    await putPart(bench, gaps, 3);
    // As one leaves it whose part was given up, and came after all.
    await putPart(bench, surplus, 2);
    await changeLedger(bench, surplus, {
      runs: [
        { first: 1, start: 0 },
        { first: 3, start: 6 * MiB },
      ],
      done: { number: 2, offset: 6 * MiB },
    });
    const { output, code } = await merge(bench);
    expect(code).toBe(1);
    expect(output).toContain(`${idOf(gaps)}: tusd cannot go on: there are gaps in the numbers`);
    expect(output).toContain(`${idOf(surplus)}: tusd cannot go on: it has parts that count for`);
    expect(output).toContain(`${idOf(fine)}: merged 20 bytes, at 20 bytes\n`);
    expect(output).toContain('1 merged, 0 need nothing, 2 cannot go on with tusd.\n');
    const command = await start({ args: bench.flags, env: bench.env });
    const offset = (url: string) => offsetOf(`${command.url}${idOf(url)}`);
    expect(await offset(gaps)).toBe(6 * MiB + 10);
    expect(await offset(surplus)).toBe(6 * MiB + 10);
  });

  it('names those whose object lies elsewhere', async () => {
    const bench = await s3Bench(s3());
    const args = [...bench.flags, '-s3-object-key=sorted/{id}'];
    const command = await start({ args, env: bench.env });
    const url = await create(command.url, 10);
    await append(url, 0, Buffer.from('abc'));
    const { output, code } = await merge(bench);
    expect(output).toContain(`${idOf(url)}: tusd cannot go on: its object lies where`);
    expect(code).toBe(1);
  });

  it('says what it lacks', async () => {
    const bench = await s3Bench(s3());
    const missing = await runCommand(['merge-tails', ...bench.flags, '-s3-bucket=none'], bench.env);
    expect(missing.errors).toMatch(
      /^tuskd: unable to use the bucket none at .*: it does not exist\n$/,
    );
    expect(missing.code).toBe(1);
    const { errors, code } = await runCommand(['merge-tails', '-dry-run']);
    expect(errors).toBe('tuskd: merge-tails needs -s3-bucket\n');
    expect(code).toBe(1);
  });
});

describe('merging tails that is interrupted', () => {
  it('changes no offset and no byte, wherever it ends, and comes to its end when done again', async () => {
    const bench = await s3Bench(s3());
    const bytes = someBytes(8 * MiB);
    let calls = 0;
    for (let last = 0; ; last++) {
      const url = await uploadChunks(bench, bytes, [6 * MiB, 1000, 2000, 3000]);
      const end = 6 * MiB + 6000;
      // A piece that counts no more, as a writer leaves it that was killed before it had removed what its part has.
      const [piece = ''] = (await bench.keys()).filter((key) => key.startsWith('.tuskd/'));
      const folder = piece.slice(0, piece.lastIndexOf('/') + 1);
      const stale = { Bucket: bench.bucket, Key: `${folder}${6 * MiB}-500..1.stale` };
      await bench.api.putObject({
        ...stale,
        Body: bytes.subarray(0, 500),
        Metadata: { upload: idOf(url) },
      });
      calls = 0;
      const isDone = await mergeUntil(bench, () => calls++ < last);
      expect(await storedOffset(bench, url)).toBe(end);
      await mergeUntil(bench, () => true);
      expect(await storedOffset(bench, url)).toBe(end);
      expect(await bench.keys()).toEqual([`${objectOf(url)}.info`, `${objectOf(url)}.part`]);
      const tail = await bench.content(`${objectOf(url)}.part`);
      expect(tail.equals(bytes.subarray(6 * MiB, end))).toBe(true);
      await new S3Store({ api: bench.api, bucket: bench.bucket, provider: 'versitygw' })
        .getUpload(idOf(url))
        .then((upload) => upload.terminate?.());
      if (isDone) break;
      expect(last).toBeLessThan(10);
    }
    // What is stale, the whole tail, its first piece, its others.
    expect(calls).toBe(4);
  });
});

describe('moving between tusd and tuskd with a bucket', () => {
  beforeEach(({ skip }) => skipIfMissing(skip, whyNo('tusd')));

  it('goes on with tusd where tuskd stopped, and with tuskd where tusd stopped', async () => {
    const bench = await s3Bench(s3());
    const bytes = someBytes(40 * MiB);
    const url = await uploadChunks(bench, bytes, [9 * MiB, 1000, 2000]);
    let offset = 9 * MiB + 3000;
    expect((await merge(bench)).code).toBe(0);

    const tusd = await startTusd({ s3: s3(), bucket: bench.bucket });
    onTestFinished(() => tusd.stop());
    const there = `${tusd.url}${idOf(url)}`;
    expect(await offsetOf(there)).toBe(offset);
    offset = await appendChunks(there, bytes, offset, [7 * MiB, 1234]);
    await tusd.stop();

    const command = await start({ args: bench.flags, env: bench.env });
    const here = `${command.url}${idOf(url)}`;
    expect(await offsetOf(here)).toBe(offset);
    offset = await appendChunks(here, bytes, offset, [4321, 6 * MiB, 77]);
    expect(await command.stop()).toBe(0);
    expect((await merge(bench)).code).toBe(0);

    const last = await startTusd({ s3: s3(), bucket: bench.bucket });
    onTestFinished(() => last.stop());
    const end = `${last.url}${idOf(url)}`;
    expect(await offsetOf(end)).toBe(offset);
    await append(end, offset, bytes.subarray(offset));
    expect((await bench.content(objectOf(url))).equals(bytes)).toBe(true);
  });

  it('takes the same bytes for another tail when they come again', async () => {
    const bench = await s3Bench(s3());
    const bytes = Buffer.alloc(40 * MiB);
    const withTusd = async (url: string, offset: number, sizes: readonly number[]) => {
      const tusd = await startTusd({ s3: s3(), bucket: bench.bucket });
      const end = await appendChunks(`${tusd.url}${idOf(url)}`, bytes, offset, sizes);
      await tusd.stop();
      return end;
    };
    const url = await uploadChunks(bench, bytes, []);
    let offset = await withTusd(url, 0, [6 * MiB, 1000]);
    const command = await start({ args: bench.flags, env: bench.env });
    offset = await appendChunks(`${command.url}${idOf(url)}`, bytes, offset, [6 * MiB]);
    expect(await command.stop()).toBe(0);
    expect((await merge(bench)).code).toBe(0);
    offset = await withTusd(url, offset, [1000]);
    expect(await storedOffset(bench, url)).toBe(offset);
  });
});

/** Adds a part of a mebibyte with that number to an upload. */
async function putPart({ api, bucket }: S3Bench, url: string, number: number): Promise<void> {
  const UploadId = idOf(url).split('+')[1];
  const Body = someBytes(MiB);
  await api.uploadPart({ Bucket: bucket, Key: objectOf(url), UploadId, PartNumber: number, Body });
}

async function changeLedger(bench: S3Bench, url: string, changes: object): Promise<void> {
  const Key = `${objectOf(url)}.info`;
  const record: { Tuskd: { store: object } } = JSON.parse((await bench.content(Key)).toString());
  record.Tuskd.store = { ...record.Tuskd.store, ...changes };
  await bench.api.putObject({ Bucket: bench.bucket, Key, Body: JSON.stringify(record) });
}

async function storedOffset({ api, bucket }: S3Bench, url: string): Promise<number> {
  const upload = await new S3Store({ api, bucket, provider: 'versitygw' }).getUpload(idOf(url));
  return (await upload.getInfo()).offset;
}

/** Merges until a change of the bucket is not allowed, as if the process had ended there. Resolves with whether it came to its end. */
async function mergeUntil({ api, bucket }: S3Bench, mayChange: () => boolean): Promise<boolean> {
  const changing = new Set<PropertyKey>(['putObject', 'deleteObjects']);
  const dying: typeof api = new Proxy(api, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]): Promise<unknown> => {
        if (changing.has(name) && !mayChange()) throw new TypeError('ended here');
        return Reflect.apply(method, target, args);
      };
    },
  });
  const retry = { attempts: 1, attemptTimeoutMs: 10_000, backoffMs: 1 };
  const means = { bucket: new S3Bucket(dying, bucket, s3Profiles.versitygw, retry), prefix: '' };
  try {
    const merging = mergeTails(means, false);
    while ((await merging.next()).done !== true);
    return true;
  } catch (error) {
    if (error instanceof TypeError && error.message === 'ended here') return false;
    throw error;
  }
}
